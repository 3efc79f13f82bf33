package submission

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"

	"github.com/invitemailer/invitemailer/internal/safetext"
)

const (
	maxReplyLine  = 2048 // octets of one line; RFC 5321 section 4.5.3.1.5 asks for 512
	maxReplyLines = 128
	maxReplyText  = 300 // bytes kept of a reply
)

// replyLine is Reply-code with its separator, and the text. A code alone, without the space, is
// accepted as RFC 5321 section 4.2 asks.
var replyLine = regexp.MustCompile(`(?s)^([2-5]\d\d)(?:([ -])(.*))?$`)

// enhancedStatus is an enhanced status code (RFC 3463 section 2) before a text.
var enhancedStatus = regexp.MustCompile(`^[245]\.\d{1,3}\.\d{1,3}(?: |$)`)

// reply is one reply of the server (RFC 5321 section 4.2).
type reply struct {
	code     int
	enhanced string   // RFC 2034, without the class mismatch that would make it a lie
	text     string   // all lines, on one, printable
	lines    []string // the text of each, as it came
	via      via      // of the answer to a whole message
}

func (r reply) class() int { return r.code / 100 }

// refuses reports whether r is a refusal, for a time or for good.
func (r reply) refuses() bool { return r.class() == 4 || r.class() == 5 }

// answers reports whether r is the answer that a command wants. To RCPT, 251 is as good as 250: the
// server forwards (RFC 5321 section 3.4). So is 252, which is for VRFY (section 3.5.3), but also
// said by servers that take a message without knowing the recipient.
func (r reply) answers(cmd command) bool {
	return r.code == cmd.want || cmd.step == StepRcpt && (r.code == 251 || r.code == 252)
}

// line is the reply on one line of at most maxReplyText bytes.
func (r reply) line() string {
	text := r.text
	if r.enhanced != "" {
		text = r.enhanced + " " + text
	}
	if r.code != 0 {
		text = strconv.Itoa(r.code) + " " + text
	}
	return truncate(text)
}

// readReply reads one reply, of one line or several. An error that is errOutOfStep means that what
// came is no SMTP reply; the reply then has its text alone. Any other error is the connection's.
//
// Empty lines before it are skipped: some servers send them, also before the answer to the final
// dot. What is in hide is taken out of the text: a server may echo what it was told.
func readReply(r *bufio.Reader, hide []string) (reply, error) {
	var rep reply
	for range maxReplyLines {
		line, err := readReplyLine(r)
		if err != nil {
			return reply{}, err
		}
		if line == "" && rep.code == 0 {
			continue
		}
		parts := replyLine.FindStringSubmatch(line)
		if parts == nil || rep.code != 0 && parts[1] != strconv.Itoa(rep.code) {
			return reply{text: clean(without(line, hide))}, errOutOfStep
		}
		rep.code, _ = strconv.Atoi(parts[1]) // it is a number
		rep.lines = append(rep.lines, parts[3])
		rep.add(without(parts[3], hide))
		if parts[2] != "-" {
			return rep, nil
		}
	}
	return reply{}, fmt.Errorf("%w: more than %d lines", errOutOfStep, maxReplyLines)
}

// add takes the text of one more line.
func (r *reply) add(text string) {
	if found := enhancedStatus.FindString(text); found != "" && int(found[0]-'0') == r.class() {
		status := strings.TrimSuffix(found, " ")
		r.enhanced = cmp.Or(r.enhanced, status)
		if status == r.enhanced {
			text = text[len(found):]
		}
	}
	text = clean(text)
	if text == "" || len(r.text) >= maxReplyText {
		return
	}
	if r.text != "" {
		text = r.text + " " + text
	}
	r.text = truncate(text)
}

func without(s string, hide []string) string {
	for _, h := range hide {
		if h != "" {
			s = strings.ReplaceAll(s, h, "[hidden]")
		}
	}
	return s
}

// readReplyLine returns a line without its end.
func readReplyLine(r *bufio.Reader) (string, error) {
	line, err := r.ReadSlice('\n')
	switch {
	case errors.Is(err, bufio.ErrBufferFull), err == nil && len(line) > maxReplyLine:
		return "", fmt.Errorf("%w: a line of more than %d octets", errOutOfStep, maxReplyLine)
	case errors.Is(err, io.EOF) && len(line) > 0:
		return "", io.ErrUnexpectedEOF
	case err != nil:
		return "", err
	}
	return strings.TrimSuffix(strings.TrimSuffix(string(line), "\n"), "\r"), nil
}

// clean makes text from outside fit for one line of a log, with no run of white space in what is
// not plain.
func clean(s string) string {
	line := safetext.Line(s)
	if line != s {
		line = strings.Join(strings.Fields(line), " ")
	}
	return truncate(line)
}

// truncate shortens s to maxReplyText bytes without cutting a character.
func truncate(s string) string {
	text, _ := safetext.Cut(s, maxReplyText)
	return strings.TrimSpace(text)
}
