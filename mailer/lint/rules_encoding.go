package lint

import (
	"slices"
	"strings"

	"github.com/invitemailer/invitemailer/internal/mimetree"
)

// The rules on boundaries and transfer encodings.
var encodingRules = []Rule{
	{ID: "IM09", Own: Error, Any: Error, Origin: Composed, scope: inMail,
		Title:  "Each multipart has a boundary that occurs, is closed, is at most 70 characters long and is not the beginning of another's",
		Why:    "Parsers drop the parts behind a boundary they do not find, and run on through one that is not closed.",
		Source: "RFC 2046 sections 5.1 and 5.1.1",
		Fix:    "Let a mail library write the multiparts; look for programs that cut off the end of the mail.",
		check: each(parts, func(d *document, r *report, p *mimetree.Part) {
			if p.IsMultipart() && p.Depth < maxDepth {
				checkBoundary(r, p)
			}
		})},
	{ID: "IM10", Own: Error, Any: Error, Origin: Composed, scope: inMail,
		Title:  "No multipart is encoded itself: its Content-Transfer-Encoding is absent, 7bit, 8bit or binary",
		Why:    "Anything else is illegal, and parsers either decode the boundaries away or do not decode at all.",
		Source: "RFC 2045 section 6.4",
		Fix:    "Encode the parts, not the multipart.",
		check: each(parts, func(d *document, r *report, p *mimetree.Part) {
			if p.IsMultipart() && !slices.Contains([]string{"7bit", "8bit", "binary"}, p.Encoding) {
				r.add(place{part: p}, "the multipart has Content-Transfer-Encoding: %s", quoteName(p.Encoding))
			}
		})},
	{ID: "IM22", Own: Error, Any: Error, Origin: Composed, scope: inMail,
		Title:  "Each part is what its Content-Transfer-Encoding says",
		Why:    "Servers and clients decode by the label: octets above 127 under 7bit, and base64 or quoted-printable that is not, arrive spoiled.",
		Source: "RFC 2045 sections 2.7, 2.8, 6.7 and 6.8; RFC 6047 section 2.5",
		Fix:    "Label 7bit only ASCII with lines up to 998 octets; encode the rest, with lines up to 76.",
		check: each(parts, func(d *document, r *report, p *mimetree.Part) {
			if p.IsMultipart() {
				return
			}
			content := p.Decode()
			for _, f := range content.Faults {
				where := place{header: "Content-Transfer-Encoding", part: p}
				if f.Line > 0 {
					where = place{part: p, line: f.Line}
				}
				what := f.What
				if f.Offending != "" {
					what += ": " + quote(f.Offending)
				}
				if f.Long && !r.own {
					r.warn(where, "%s", what)
				} else {
					r.add(where, "%s", what)
				}
			}
			if more := content.Count - len(content.Faults); more > 0 {
				r.warn(place{part: p}, "the same in %d more lines", more)
			}
		})},
	{ID: "IM23", Own: Error, Any: Error, Origin: Calendar,
		Title:  "What comes out of the decoding begins with BEGIN:VCALENDAR",
		Why:    "A byte order mark, or base64 within base64, is shown as a file that no calendar opens.",
		Source: "RFC 5545 section 3.4; cal.diy issue 20912",
		Fix:    "Encode once, and only the bytes of the calendar.",
		check: func(d *document, r *report) {
			if d.root == nil {
				if d.cal == nil && len(d.limits) == 0 || strings.HasPrefix(d.text, bom) {
					r.payload(whole, d.text)
				}
				return
			}
			for _, p := range d.parts {
				if p == d.source || (p.IsCalendar() || p.IsICS()) && p.Text() != d.calendarText {
					r.payload(place{part: p}, p.Text())
				}
			}
		}},
	{ID: "IM24", Own: Warning, Any: Warning, Origin: Composed, scope: inMail,
		Title:  "The calendar in the alternative is sent as 7bit or quoted-printable",
		Why:    "Small clients do not decode base64 there; 8bit is encoded anew by servers on the way, which breaks a DKIM signature.",
		Source: "RFC 6047 section 2.5; RFC 6376 section 5.3; Symfony documentation issue 22832",
		Fix:    "Use quoted-printable, or 7bit for pure ASCII.",
		check: func(d *document, r *report) {
			_, signed := d.field("DKIM-Signature")
			for _, p := range d.invites {
				where := place{header: "Content-Transfer-Encoding", part: p}
				switch p.Encoding {
				case "7bit", "quoted-printable":
				case "8bit", "binary":
					if signed > 0 && !isASCII(p.Body) {
						r.strict(where, "it is %s in a message with a DKIM signature", p.Encoding)
					} else {
						r.add(where, "it is %s", p.Encoding)
					}
				case "base64":
					r.add(where, "it is base64")
				}
			}
		}},
}

// checkBoundary is IM09 for one multipart.
func checkBoundary(r *report, p *mimetree.Part) {
	b, where := p.Boundary, place{part: p}
	switch {
	case b == "":
		r.add(where, "the multipart has no boundary parameter")
		return
	case p.Used != "":
		r.add(where, "the boundary %s does not occur; the parts are divided by %s", quote(b), quote(p.Used))
	case !p.Opened:
		r.add(where, "the boundary %s does not occur", quote(b))
	case !p.Closed:
		r.add(where, "the boundary %s is never closed: the line \"--%s--\" is missing", quote(b), quoteName(b))
	}
	if len(b) > 70 {
		r.add(where, "the boundary is %d characters long", len(b))
	}
	if strings.Trim(b, boundaryChars) != "" || strings.HasSuffix(b, " ") {
		r.add(where, "the boundary %s has a character that none may have", quote(b))
	}
	for q := p.Parent; q != nil; q = q.Parent {
		if q.Boundary != "" && (strings.HasPrefix(b, q.Boundary) || strings.HasPrefix(q.Boundary, b)) {
			r.add(where, "the boundary %s and that of a multipart around it, %s, begin alike",
				quote(b), quote(q.Boundary))
		}
	}
}

// boundaryChars are those of RFC 2046 section 5.1.1.
const boundaryChars = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ'()+_,-./:=? "

// payload looks at the first octets of a calendar.
func (r *report) payload(where place, text string) {
	switch {
	case hasPrefixFold(text, "BEGIN:VCALENDAR"):
	case strings.HasPrefix(text, bom):
		r.add(where, "it begins with a byte order mark")
	case strings.Trim(text, " \t\r\n") == "":
		r.fatal(where, "it is empty")
	case hasPrefixFold(strings.TrimLeft(text, " \t\r\n"), "BEGIN:VCALENDAR"):
		r.add(where, "white space comes before BEGIN:VCALENDAR")
	case strings.HasPrefix(text, encodedBegin):
		r.fatal(where, "it is base64 once more")
	default:
		r.fatal(where, "it begins with %s", quote(text))
	}
}
