package mimetree

import (
	"encoding/base64"
	"encoding/hex"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// Content is the content of a part and what was wrong with its encoding.
type Content struct {
	Text   string
	Faults []Fault
	Count  int // of faults, those not kept included
}

// Fault is a mistake in the encoding of a part.
type Fault struct {
	Line      int // in the body as it is encoded
	What      string
	Offending string // the octets that are wrong, and what follows them; may be empty
	Long      bool   // just a line that is too long: it can still be decoded
}

const (
	// MaxLine is the longest line of a message, in octets (RFC 5322 section 2.1.1).
	MaxLine    = 998
	maxFaults  = 10 // that are kept of one part
	maxEncoded = 76 // RFC 2045 sections 6.7 and 6.8
)

func (c *Content) fault(f Fault) {
	if c.Count++; len(c.Faults) < maxFaults {
		c.Faults = append(c.Faults, f)
	}
}

// Text returns the content of a part, decoded as well as it can be.
func (p *Part) Text() string { return p.Decode().Text }

// Decode undoes the transfer encoding that the part names (RFC 2045 section 6). It notes each
// mistake, and reads on.
func (p *Part) Decode() *Content {
	if p.content != nil {
		return p.content
	}
	c := &Content{Text: p.Body}
	p.content = c
	switch p.Encoding {
	case "quoted-printable":
		c.quotedPrintable(p.Body)
		return c
	case "base64":
		c.base64(p.Body)
		return c
	}
	if (p.IsCalendar() || p.IsICS()) && strings.HasPrefix(p.Body, "QkVHSU46") { // "BEGIN:"
		c.base64(p.Body)
		c.Count++
		c.Faults = slices.Insert(c.Faults, 0, Fault{Line: 1, Offending: p.Encoding,
			What: "the calendar is base64, but the label says something else"})
		return c
	}
	switch p.Encoding {
	case "7bit", "8bit":
		c.plain(p.Body, p.Encoding)
	case "binary":
	default:
		c.fault(Fault{What: "there is no such Content-Transfer-Encoding", Offending: p.Encoding})
	}
	return c
}

func (c *Content) plain(body, encoding string) {
	number := 0
	for line := range strings.SplitSeq(body, "\n") {
		number++
		if len(strings.TrimSuffix(line, "\r")) > MaxLine {
			c.fault(Fault{Line: number, What: "a line of more than 998 octets under " + encoding})
		}
		if encoding == "7bit" && strings.ContainsFunc(line, func(r rune) bool { return r >= utf8.RuneSelf }) {
			c.fault(Fault{Line: number, What: "an octet above 127 under 7bit", Offending: line})
		}
		if strings.Contains(line, "\x00") {
			c.fault(Fault{Line: number, What: "a NUL under " + encoding})
		}
	}
}

func (c *Content) quotedPrintable(body string) {
	var out strings.Builder
	number := 0
	for line := range strings.Lines(body) {
		number++
		text, isCRLF := strings.CutSuffix(line, "\r\n")
		if !isCRLF {
			text = strings.TrimSuffix(line, "\n")
		}
		line, end := text, line[len(text):]
		if len(line) > maxEncoded {
			c.fault(Fault{Line: number, What: "a quoted-printable line of more than 76 octets", Long: true})
		}
		trimmed := strings.TrimRight(line, " \t")
		if trimmed != line {
			c.fault(Fault{Line: number,
				What: "white space at the end of a quoted-printable line, which is lost on the way"})
		}
		if soft := c.quotedPrintableLine(&out, trimmed, number); !soft {
			out.WriteString(end)
		}
	}
	c.Text = out.String()
}

// mustEncode tells what quoted-printable lets no line have as it is.
func mustEncode(r rune) bool { return r < ' ' && r != '\t' || r >= 0x7f }

// quotedPrintableLine decodes one line and reports whether it ends in a soft line break.
func (c *Content) quotedPrintableLine(out *strings.Builder, line string, number int) (soft bool) {
	for {
		plain, rest, found := strings.Cut(line, "=")
		if i := strings.IndexFunc(plain, mustEncode); i >= 0 {
			c.fault(Fault{Line: number, Offending: plain[i:],
				What: "an octet that must be encoded in quoted-printable"})
		}
		out.WriteString(plain)
		if !found || rest == "" {
			return found
		}
		digits := rest[:min(2, len(rest))]
		octet, err := hex.DecodeString(digits)
		if err != nil {
			c.fault(Fault{Line: number, What: "not quoted-printable", Offending: line[len(plain):]})
			octet, digits = []byte("="), ""
		}
		out.Write(octet)
		line = rest[len(digits):]
	}
}

// foreign is what base64 has no use for.
var foreign = regexp.MustCompile(`[^A-Za-z0-9+/=\r\n]`)

func (c *Content) base64(body string) {
	number := 0
	for line := range strings.SplitSeq(body, "\n") {
		number++
		if len(strings.TrimSuffix(line, "\r")) > maxEncoded {
			c.fault(Fault{Line: number, What: "a base64 line of more than 76 octets", Long: true})
		}
	}
	text, err := base64.StdEncoding.DecodeString(body)
	if err == nil {
		c.Text = string(text)
		return
	}
	// Something else is in it. Say what, and read what is left without it.
	if at := foreign.FindStringIndex(body); at != nil {
		c.fault(Fault{Line: 1 + strings.Count(body[:at[0]], "\n"), What: "not base64", Offending: body[at[0]:]})
	} else {
		c.fault(Fault{Line: number, What: "base64 that ends in the middle or is wrongly padded"})
	}
	clean := strings.NewReplacer("=", "", "\r", "", "\n", "").Replace(foreign.ReplaceAllLiteralString(body, ""))
	if len(clean)%4 == 1 {
		clean = clean[:len(clean)-1]
	}
	text, _ = base64.RawStdEncoding.DecodeString(clean) // in which nothing else is left
	c.Text = string(text)
}
