package lint

import (
	"mime"
	"slices"
	"strings"

	"github.com/invitemailer/invitemailer/internal/ical"
	"github.com/invitemailer/invitemailer/internal/mimetree"
)

// The rules on the parts: boundaries, Content-Type, Content-Disposition, file names, encodings.
var partRules = []Rule{
	{ID: "IM14", Own: Error, Any: Error, Origin: Composed, scope: inMail,
		Title:  "The Content-Type of each part can be parsed and says nothing twice",
		Why:    "Go, and others, refuse a part whose parameters are double; the component parameter, which must be repeated, is how that happens.",
		Source: "RFC 2045 section 5.1; RFC 5545 section 8.1",
		Fix:    "Write type/subtype and parameters once each, values with special characters in quotes.",
		check: each(parts, func(d *document, r *report, p *mimetree.Part) {
			f, n := p.Field("Content-Type")
			if n == 0 {
				return
			}
			where := place{header: "Content-Type", part: p}
			if n > 1 {
				r.add(where, "the field is there %d times", n)
			}
			if len(f.Value) > maxMedia {
				r.add(where, "the value is %d octets long", len(f.Value))
			} else if _, _, err := mime.ParseMediaType(f.Value); err != nil {
				r.add(where, "%s cannot be parsed (%s)", quote(f.Value), strings.TrimPrefix(err.Error(), "mime: "))
			}
		})},
	{ID: "IM15", Own: Error, Any: Error, Origin: Composed, scope: inMail | inCalendar,
		Title:  "The method parameter is the METHOD of the calendar",
		Why:    "Outlook refuses the mail: \"Inbound Mime method and ICAL method mismatch\".",
		Source: "RFC 6047 section 2.4; maevsi/vibetype issue 2368",
		Fix:    "Take the parameter from the calendar's METHOD, not from a second setting.",
		check: func(d *document, r *report) {
			if d.cal.method == "" {
				return // IM28
			}
			for _, p := range d.invites {
				if m, _ := p.Media.Get("method"); !strings.EqualFold(m, d.cal.method) {
					r.add(place{header: "Content-Type", part: p},
						"method=%s, but the calendar says METHOD:%s", quoteName(m), quoteName(d.cal.method))
				}
			}
		}},
	{ID: "IM16", Own: Error, Any: Warning, Origin: Composed, scope: inMail,
		Title:  "The method parameter is written in upper case",
		Why:    "Tuta overlooked method=request.",
		Source: "RFC 6047 section 2.4 ignores case; tutanota issue 2960",
		Fix:    "Write method=REQUEST or method=CANCEL.",
		check: each(invites, func(d *document, r *report, p *mimetree.Part) {
			if m, _ := p.Media.Get("method"); m != strings.ToUpper(m) || !ical.IsName(m) {
				r.add(place{header: "Content-Type", part: p}, "method=%s", quoteName(m))
			}
		})},
	{ID: "IM17", Own: Error, Any: Warning, Origin: Composed, scope: inMail,
		Title:  "The charset of the calendar part is UTF-8",
		Why:    "Without it the text counts as US-ASCII, and names beyond that are spoiled; Outlook called such parts \"not supported\".",
		Source: "RFC 6047 section 2.4 (MUST where a character is not ASCII); sendgrid-nodejs issue 1313",
		Fix:    "Add charset=UTF-8 to the Content-Type, always.",
		check: each(invites, func(d *document, r *report, p *mimetree.Part) {
			charset, ok := p.Media.Get("charset")
			if strings.EqualFold(charset, "utf-8") {
				return
			}
			where, what := place{header: "Content-Type", part: p}, "there is no charset"
			if ok {
				what = "charset=" + quoteName(charset)
			}
			if isASCII(p.Text()) {
				r.add(where, "%s", what)
			} else {
				r.error(where, "%s, but the calendar is not all ASCII", what)
			}
		})},
	{ID: "IM18", Own: Warning, Any: Warning, Origin: Composed, scope: inMail,
		Title:  "There is no component parameter, and none that is wrong",
		Why:    "It would have to be repeated for VTIMEZONE, and a repeated parameter is refused by parsers; no large sender has it.",
		Source: "RFC 5545 section 8.1; RFC 6047 section 2.4 (optional)",
		Fix:    "Leave it out.",
		check: each(invites, func(d *document, r *report, p *mimetree.Part) {
			for _, q := range p.Media.Params {
				if q.Name != "component" {
					continue
				}
				where := place{header: "Content-Type", part: p}
				if p == d.source && d.cal != nil && !d.cal.hasComponent(strings.ToUpper(q.Value)) {
					r.error(where, "component=%s, but there is none in the calendar", quoteName(q.Value))
				} else {
					r.add(where, "component=%s", quoteName(q.Value))
				}
			}
		})},
	{ID: "IM20", Own: Error, Any: Error, Origin: Composed, scope: inMail,
		Title:  "The calendar in the alternative is not an attachment",
		Why:    "With Content-Disposition: attachment, Evolution and Apple Mail show a file in place of the invitation.",
		Source: "RFC 2183 section 2.2; Nextcloud Mail issue 10416",
		Fix:    "Leave Content-Disposition away from this part; only the application/ics copy is an attachment.",
		check: each(invites, func(d *document, r *report, p *mimetree.Part) {
			if p.Disposition.Kind == "attachment" {
				r.add(place{header: "Content-Disposition", part: p}, "the part is an attachment")
			}
		})},
	{ID: "IM21", Own: Warning, Any: Warning, Origin: Composed, scope: inMail,
		Title:  "The calendar in the alternative has no Content-ID, no inline disposition and no name",
		Why:    "Thunderbird showed no invitation for a part with Content-ID and Content-Disposition: inline; Google and Exchange send none of the three.",
		Source: "PHPMailer issue 175 (2025)",
		Fix:    "Send the part with Content-Type and Content-Transfer-Encoding only.",
		check: each(invites, func(d *document, r *report, p *mimetree.Part) {
			if _, n := p.Field("Content-ID"); n > 0 {
				r.add(place{header: "Content-ID", part: p}, "the part has a Content-ID")
			}
			if p.Disposition.Kind != "" && p.Disposition.Kind != "attachment" {
				r.add(place{header: "Content-Disposition", part: p},
					"the part has the disposition %s", quote(p.Disposition.Kind))
			}
			if name, ok := p.Media.Get("name"); ok {
				r.add(place{header: "Content-Type", part: p}, "the part has the name %s", quote(name))
			}
		})},
	{ID: "IM25", Own: Error, Any: Warning, Origin: Composed, scope: inMail,
		Title:  "The attached calendar is an attachment in base64 with a name that ends in .ics",
		Why:    "Clients that only look at attachments, and people, go by the name; anything but base64 may be altered on the way.",
		Source: "CalConnect Developer's Guide, iMIP Best Practices; RFC 5545 section 8.1 (extension ics)",
		Fix:    "Content-Type: application/ics; name=\"invite.ics\", Content-Disposition: attachment; filename=\"invite.ics\", base64.",
		check: each(files, func(d *document, r *report, p *mimetree.Part) {
			if p.Disposition.Kind != "attachment" {
				r.add(place{header: "Content-Disposition", part: p}, "application/ics is not an attachment")
			}
			if p.Encoding != "base64" {
				r.add(place{header: "Content-Transfer-Encoding", part: p},
					"it is %s and not base64", quoteName(p.Encoding))
			}
			if name := fileName(p); !strings.HasSuffix(strings.ToLower(name), ".ics") {
				r.add(place{header: "Content-Disposition", part: p}, "the file name is %s", quote(name))
			}
		})},
	{ID: "IM26", Own: Error, Any: Error, Origin: Composed, scope: inMail,
		Title:  "Where the attached calendar has method or charset, they are those of the calendar part",
		Why:    "A client that reads the attachment first would take a cancellation for an invitation.",
		Source: "RFC 6047 section 2.4; Cronofy, Sending Smart Invites; nodemailer issue 1615",
		Fix:    "Leave both out of application/ics, as Google does, or write the same.",
		check: each(files, func(d *document, r *report, p *mimetree.Part) {
			for _, name := range []string{"method", "charset"} {
				mine, ok := p.Media.Get(name)
				theirs, _ := d.source.Media.Get(name)
				if d.source.IsCalendar() && ok && !strings.EqualFold(mine, theirs) {
					r.add(place{header: "Content-Type", part: p}, "%s=%s, but part %s has %s",
						name, quoteName(mine), d.source.Path(), quote(theirs))
				}
			}
		})},
	{ID: "IM27", Own: Warning, Any: Warning, Origin: Composed, scope: inMail,
		Title:  "File names are ASCII without path or controls; others come as filename*= beside a plain one",
		Why:    "Old clients show raw or encoded names as garbage, and a path in a name is an attempt to write elsewhere.",
		Source: "RFC 2183 section 2.3; RFC 2231 section 4; RFC 2047 section 5 (no encoded-word in a parameter)",
		Fix:    "Call it invite.ics.",
		check: each(parts, func(d *document, r *report, p *mimetree.Part) {
			checkFileName(r, p, "Content-Disposition", &p.Disposition, "filename")
			checkFileName(r, p, "Content-Type", &p.Media, "name")
		})},
	{ID: "IM09", Own: Error, Any: Error, Origin: Composed, scope: inMail,
		Title:  "Each multipart has a boundary that occurs, is closed, is at most 70 characters long and is not the beginning of another's",
		Why:    "Parsers drop the parts behind a boundary they do not find, and run on through one that is not closed.",
		Source: "RFC 2046 sections 5.1 and 5.1.1",
		Fix:    "Let a mail library write the multiparts; look for programs that cut off the end of the mail.",
		check: each(parts, func(d *document, r *report, p *mimetree.Part) {
			if !p.IsMultipart() || p.Depth == maxDepth {
				return
			}
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

// maxMedia is the longest Content-Type that is looked into.
const maxMedia = 8 << 10

func checkFileName(r *report, p *mimetree.Part, header string, m *mimetree.Media, param string) {
	where := place{header: header, part: p}
	plain, ok := m.Get(param)
	_, extended := m.Get(param + "*")
	switch {
	case extended && !ok:
		r.add(where, "there is %s*= without a plain %s= beside it", param, param)
	case !ok:
	case !isASCII(plain):
		r.add(where, "the name %s is not ASCII", quote(plain))
	case strings.ContainsAny(plain, `/\`), strings.IndexFunc(plain, isControl) >= 0:
		r.add(where, "the name %s has a path or a control in it", quote(plain))
	case strings.Contains(plain, "=?"):
		r.add(where, "the name %s is an encoded-word", quote(plain))
	}
}

func isControl(r rune) bool { return r < ' ' || r == 0x7f }

// fileName returns the name a client would save p under.
func fileName(p *mimetree.Part) string {
	for _, m := range []*mimetree.Media{&p.Disposition, &p.Media} {
		for _, name := range []string{"filename", "name", "filename*", "name*"} {
			if v, ok := m.Get(name); ok {
				return v
			}
		}
	}
	return ""
}

func (c *calendar) hasComponent(name string) bool {
	for _, o := range c.objects {
		for range o.All(name) {
			return true
		}
	}
	return false
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
