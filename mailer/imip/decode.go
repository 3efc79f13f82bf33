package imip

import (
	"encoding/base64"
	"strings"
)

// decoded is the content of a part and what was wrong with its encoding.
type decoded struct {
	text   string
	faults []fault
	n      int // of faults, those not kept included
}

// fault is a mistake in the encoding of a part.
type fault struct {
	line int // in the body as it is encoded
	what string
	long bool // just a line that is too long: it can still be decoded
}

// fault notes a mistake, and what it was made in, unless that is empty.
func (d *decoded) fault(line int, what, offending string) {
	if d.n++; len(d.faults) < maxPerRule {
		if offending != "" {
			what += ": " + quote(offending)
		}
		d.faults = append(d.faults, fault{line: line, what: what})
	}
}

// long notes a line that is too long.
func (d *decoded) long(line int, what string) {
	if d.n++; len(d.faults) < maxPerRule {
		d.faults = append(d.faults, fault{line: line, what: what, long: true})
	}
}

// content returns the text of a part, decoded as well as it can be.
func (p *part) content() string { return p.decode().text }

// decode undoes the transfer encoding (RFC 2045 section 6), strictly.
func (p *part) decode() *decoded {
	if p.decoded == nil {
		p.decoded = &decoded{}
		switch p.encoding {
		case "quoted-printable":
			p.decoded.quotedPrintable(p.body)
		case "base64":
			p.decoded.base64(p.body)
		default:
			if (p.isCalendar() || p.isICS()) && strings.HasPrefix(p.body, "QkVHSU46") { // "BEGIN:"
				p.decoded.fault(1, "the calendar is base64, but the label says something else", p.encoding)
				p.decoded.base64(p.body)
				break
			}
			p.decoded.identity(p.body, p.encoding)
		}
	}
	return p.decoded
}

const (
	maxLine    = 998 // RFC 5322 section 2.1.1
	maxEncoded = 76  // RFC 2045 sections 6.7 and 6.8
)

func (d *decoded) identity(body, encoding string) {
	d.text = body
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
		if len(line) > maxLine+1 || len(line) == maxLine+1 && line[maxLine] != '\r' {
			d.fault(number, "a line of more than 998 octets under "+encoding, "")
		}
		if encoding == "7bit" && !isASCII(line) {
			d.fault(number, "an octet above 127 under 7bit", line)
		}
		if strings.IndexByte(line, 0) >= 0 {
			d.fault(number, "a NUL under "+encoding, "")
		}
	}
}

func (d *decoded) quotedPrintable(body string) {
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
	d.text = out.String()
}

// qpLine decodes one line and reports whether it ends in a soft line break.
func (d *decoded) qpLine(out *strings.Builder, line string, number int) bool {
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

func (d *decoded) base64(body string) {
	number := 0
	for line := range strings.SplitSeq(body, "\n") {
		if number++; len(strings.TrimSuffix(line, "\r")) > maxEncoded {
			d.long(number, "a base64 line of more than 76 octets")
		}
	}
	out := make([]byte, base64.StdEncoding.DecodedLen(len(body)))
	n, err := base64.StdEncoding.Decode(out, []byte(body))
	if err == nil {
		d.text = string(out[:n])
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
				d.fault(number, "not base64", body[i:min(i+maxQuote, len(body))])
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
	d.text = string(out[:n])
}
