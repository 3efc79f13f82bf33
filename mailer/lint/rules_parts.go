package lint

import (
	"mime"
	"strings"

	"github.com/invitemailer/invitemailer/internal/ical"
	"github.com/invitemailer/invitemailer/internal/mimetree"
)

// The rules on the labels of the parts: Content-Type, Content-Disposition, file names.
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
