package message

import (
	"bytes"
	"fmt"
	"strings"
	"time"

	"github.com/wneessen/go-mail"
)

// fileName is the name of the attached calendar, for REQUEST and CANCEL alike.
const fileName = "invite.ics"

// Compose builds the mail. Every error is an *[Error]. Two calls differ in the boundaries only.
func Compose(m Message) (*Composed, error) {
	if err := m.check(); err != nil {
		return nil, err
	}
	msg := mail.NewMsg(mail.WithNoDefaultUserAgent())
	m.writeHeaders(msg)
	msg.SetBodyString(mail.TypeTextPlain, crlf(m.Text))
	msg.AddAlternativeString(mail.TypeTextHTML, crlf(m.HTML))
	msg.AddAlternativeString(mail.ContentType("text/calendar; method="+m.Method), string(m.Calendar))
	msg.AttachReadSeeker(fileName, bytes.NewReader(m.Calendar), mail.WithFileContentType("application/ics"))
	var out strings.Builder
	if _, err := msg.WriteTo(&out); err != nil {
		return nil, &Error{Field: "message", Problem: "it cannot be written", Err: err}
	}
	c := &Composed{
		Bytes:    []byte(hideFrom(out.String())),
		From:     m.From.Address.String(),
		To:       m.To.Address.String(),
		SMTPUTF8: m.To.Address.NeedsSMTPUTF8(),
	}
	if err := c.check(); err != nil {
		return nil, err
	}
	return c, nil
}

// writeHeaders sets the headers. Addresses are written by mailbox: go-mail would encode them too,
// but it cannot force a name that looks encoded already into an encoded-word.
func (m *Message) writeHeaders(msg *mail.Msg) {
	msg.SetGenHeader("From", m.From.header())
	if m.To.Address.NeedsSMTPUTF8() {
		// The one header that may go beyond ASCII. An Address holds no control and no space, so it
		// can be written as it is. go-mail does not fold it: each word gets a line.
		msg.SetGenHeaderPreformatted("To", strings.ReplaceAll(m.To.header(), " ", "\r\n "))
	} else {
		msg.SetGenHeader("To", m.To.header())
	}
	if m.ReplyTo != nil && m.ReplyTo.Address.Key() != m.From.Address.Key() {
		msg.SetGenHeader("Reply-To", m.ReplyTo.header())
	}
	msg.SetGenHeader(mail.HeaderSubject, subject(m.Subject))
	msg.SetGenHeader(mail.HeaderDate, m.Date.Format(time.RFC1123Z))
	msg.SetMessageIDWithValue(m.MessageID)
	if m.InReplyTo != "" {
		msg.SetGenHeader(mail.HeaderInReplyTo, "<"+m.InReplyTo+">")
	}
	if len(m.References) > 0 {
		msg.SetGenHeader(mail.HeaderReferences, "<"+strings.Join(m.References, "> <")+">")
	}
	msg.SetGenHeader("Auto-Submitted", "auto-generated")
}

// maxLine is the most octets of a line without its CRLF (RFC 5322 section 2.1.1).
const maxLine = 998

// check looks at the bytes for what no server and no client would take.
func (c *Composed) check() error {
	bad := func(problem string) error {
		return &Error{Field: "message", Problem: "it has " + problem + "; this is a defect of the composer, report it"}
	}
	for line := range bytes.SplitSeq(c.Bytes, []byte("\r\n")) {
		if bytes.ContainsAny(line, "\r\n") {
			return bad("a bare CR or LF")
		}
		if len(line) > maxLine {
			return bad(fmt.Sprintf("a line over %d octets", maxLine))
		}
		for _, b := range line {
			if b == 0 || b >= 0x80 && !c.SMTPUTF8 {
				return bad(fmt.Sprintf("the octet %#02x", b))
			}
		}
	}
	return nil
}
