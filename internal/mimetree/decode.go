package mimetree

import (
	"encoding/base64"
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

// fault notes a mistake, and what it was made in, unless that is empty.
func (d *Content) fault(line int, what, offending string) {
	if d.Count++; len(d.Faults) < maxFaults {
		d.Faults = append(d.Faults, Fault{Line: line, What: what, Offending: offending})
	}
}

// long notes a line that is too long.
func (d *Content) long(line int, what string) {
	if d.Count++; len(d.Faults) < maxFaults {
		d.Faults = append(d.Faults, Fault{Line: line, What: what, Long: true})
	}
}

// Text returns the content of a part, decoded as well as it can be.
func (p *Part) Text() string { return p.Decode().Text }

// Decode undoes the transfer encoding that the part names (RFC 2045 section 6). It
// notes each mistake, and reads on.
func (p *Part) Decode() *Content {
	if p.content == nil {
		encoding, mislabelled := p.Encoding, false
		switch encoding {
		case "quoted-printable", "base64":
		default:
			mislabelled = (p.IsCalendar() || p.IsICS()) && strings.HasPrefix(p.Body, "QkVHSU46") // "BEGIN:"
		}
		if mislabelled {
			encoding = "base64"
		}
		p.content = p.DecodeAs(encoding)
		if mislabelled {
			p.content.mislabelled(p.Encoding)
		}
	}
	return p.content
}

// DecodeAs is Decode for a part that may have named the wrong encoding.
func (p *Part) DecodeAs(encoding string) *Content {
	c := &Content{}
	switch encoding {
	case "quoted-printable":
		c.quotedPrintable(p.Body)
	case "base64":
		c.base64(p.Body)
	default:
		c.identity(p.Body, encoding)
	}
	return c
}

// mislabelled notes, before all else, that a calendar is base64 and says otherwise.
func (d *Content) mislabelled(encoding string) {
	d.Count++
	d.Faults = append([]Fault{{Line: 1, What: "the calendar is base64, but the label says something else", Offending: encoding}}, d.Faults...)
}

const (
	// MaxLine is the longest line of a message, in octets (RFC 5322 section 2.1.1).
	MaxLine    = 998
	maxFaults  = 10 // that are kept of one part
	maxEncoded = 76 // RFC 2045 sections 6.7 and 6.8
)

func (d *Content) identity(body, encoding string) {
	d.Text = body
	switch encoding {
	case "7bit", "8bit", "binary":
	default:
		d.fault(0, "there is no such Content-Transfer-Encoding", encoding)
		return
	}
	if encoding == "binary" {
		return
	}
	number := 0
	for line := range strings.SplitSeq(body, "\n") {
		number++
		if len(line) > MaxLine+1 || len(line) == MaxLine+1 && line[MaxLine] != '\r' {
			d.fault(number, "a line of more than 998 octets under "+encoding, "")
		}
		if encoding == "7bit" && strings.ContainsFunc(line, func(r rune) bool { return r >= utf8.RuneSelf }) {
			d.fault(number, "an octet above 127 under 7bit", line)
		}
		if strings.IndexByte(line, 0) >= 0 {
			d.fault(number, "a NUL under "+encoding, "")
		}
	}
}

func (d *Content) quotedPrintable(body string) {
	var out strings.Builder
	out.Grow(len(body))
	number := 0
	for rest := body; rest != ""; {
		number++
		line, eol := rest, ""
		if n := strings.IndexByte(rest, '\n'); n >= 0 {
			line, eol, rest = rest[:n], "\n", rest[n+1:]
			if strings.HasSuffix(line, "\r") {
				line, eol = line[:len(line)-1], "\r\n"
			}
		} else {
			rest = ""
		}
		if len(line) > maxEncoded {
			d.long(number, "a quoted-printable line of more than 76 octets")
		}
		if trimmed := strings.TrimRight(line, " \t"); len(trimmed) != len(line) {
			d.fault(number, "white space at the end of a quoted-printable line, which is lost on the way", "")
			line = trimmed
		}
		if soft := d.qpLine(&out, line, number); !soft {
			out.WriteString(eol)
		}
	}
	d.Text = out.String()
}

// qpLine decodes one line and reports whether it ends in a soft line break.
func (d *Content) qpLine(out *strings.Builder, line string, number int) bool {
	for {
		n := strings.IndexByte(line, '=')
		plain := line
		if n >= 0 {
			plain = line[:n]
		}
		for i := range len(plain) {
			if c := plain[i]; c < ' ' && c != '\t' || c >= 0x7f {
				d.fault(number, "an octet that must be encoded in quoted-printable", plain[i:])
				break
			}
		}
		out.WriteString(plain)
		if n < 0 {
			return false
		}
		if n == len(line)-1 {
			return true
		}
		if n+2 >= len(line) || unhex(line[n+1]) < 0 || unhex(line[n+2]) < 0 {
			d.fault(number, "not quoted-printable", line[n:])
			out.WriteByte('=')
			line = line[n+1:]
			continue
		}
		out.WriteByte(byte(unhex(line[n+1])<<4 | unhex(line[n+2])))
		line = line[n+3:]
	}
}

func unhex(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'A' && c <= 'F':
		return int(c-'A') + 10
	case c >= 'a' && c <= 'f':
		return int(c-'a') + 10
	}
	return -1
}

func (d *Content) base64(body string) {
	number := 0
	for line := range strings.SplitSeq(body, "\n") {
		if number++; len(strings.TrimSuffix(line, "\r")) > maxEncoded {
			d.long(number, "a base64 line of more than 76 octets")
		}
	}
	out := make([]byte, base64.StdEncoding.DecodedLen(len(body)))
	n, err := base64.StdEncoding.Decode(out, []byte(body))
	if err == nil {
		d.Text = string(out[:n])
		return
	}
	// Something else is in it. Say what, and read what is left without it.
	clean := make([]byte, 0, len(body))
	number, bad := 1, 0
	for i := range len(body) {
		c := body[i]
		switch {
		case c == '\n':
			number++
		case c == '\r', c == '=':
		case c >= 'A' && c <= 'Z', c >= 'a' && c <= 'z', c >= '0' && c <= '9', c == '+', c == '/':
			clean = append(clean, c)
		default:
			if bad++; bad == 1 {
				d.fault(number, "not base64", body[i:])
			}
		}
	}
	if bad == 0 {
		d.fault(number, "base64 that ends in the middle or is wrongly padded", "")
	}
	if len(clean)%4 == 1 {
		clean = clean[:len(clean)-1]
	}
	// Without padding the same length holds more, so this has a size of its own.
	out = make([]byte, base64.RawStdEncoding.DecodedLen(len(clean)))
	n, _ = base64.RawStdEncoding.Decode(out, clean)
	d.Text = string(out[:n])
}
