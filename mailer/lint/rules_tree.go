package lint

import (
	"regexp"
	"strings"

	"github.com/invitemailer/invitemailer/internal/mimetree"
)

// The rules on what can be read, and on the shape of the message: which parts there are, and where.
var treeRules = []Rule{
	{ID: "IM01", Own: Error, Any: Error, Origin: Composed, scope: inMail,
		Title:  "Exactly one text/calendar part has a method parameter",
		Why:    "Without one the mail is no invitation to any client: Outlook shows an attachment, Gmail at most a file. With two, clients choose.",
		Source: "RFC 6047 section 2.4 and its note 2; CalConnect Developer's Guide, iMIP Best Practices",
		Fix:    "Put the calendar into one part with Content-Type: text/calendar; method=REQUEST; charset=UTF-8.",
		check: func(d *document, r *report) {
			if len(d.invites) == 0 && d.source != nil && d.source.IsCalendar() {
				r.add(place{part: d.source}, "the text/calendar part has no method parameter")
			} else if len(d.invites) == 0 {
				r.add(whole, "there is no text/calendar part")
			}
			for i, p := range d.invites {
				if i > 0 {
					r.add(place{part: p}, "this is another text/calendar part with a method; the first is part %s",
						d.invites[0].Path())
				}
			}
		}},
	{ID: "IM02", Own: Error, Any: Error, Origin: Composed, scope: inMail,
		Title:  "The text/calendar part is a child of a multipart/alternative",
		Why:    "Outlook and Apple Mail show their buttons for an alternative of the text only; elsewhere it is a file.",
		Source: "CalConnect Developer's Guide, iMIP Best Practices; MS-OXCMAIL section 2.1.3.3.8.2",
		Fix:    "Nest it: multipart/mixed { multipart/alternative { text/plain, text/html, text/calendar }, application/ics }.",
		check: each(invites, func(d *document, r *report, p *mimetree.Part) {
			if p.Parent == nil {
				r.add(place{part: p}, "the calendar is the whole message")
			} else if p.Parent.Media.Kind != "multipart/alternative" {
				r.add(place{part: p}, "the calendar is in a %s", quote(p.Parent.Media.Kind))
			}
		})},
	{ID: "IM03", Own: Warning, Any: Warning, Origin: Composed, scope: inMail,
		Title:  "The message is a multipart/mixed that begins with the multipart/alternative",
		Why:    "Some clients see only the alternative, some only the attachment; this shape serves both.",
		Source: "CalConnect Developer's Guide, iMIP Best Practices",
		Fix:    "Wrap the alternative and the attached calendar in a multipart/mixed, the alternative first.",
		check: func(d *document, r *report) {
			switch {
			case d.root.Media.Kind != "multipart/mixed":
				r.add(whole, "the message is a %s", quote(d.root.Media.Kind))
			case len(d.root.Children) == 0 || d.root.Children[0].Media.Kind != "multipart/alternative":
				r.add(whole, "the multipart/mixed does not begin with a multipart/alternative")
			}
		}},
	{ID: "IM04", Own: Error, Any: Error, Origin: Composed, scope: inMail,
		Title:  "The alternative goes from plain text over HTML to the calendar, which is last",
		Why:    "Clients show the last alternative they understand; anything behind the calendar hides it.",
		Source: "RFC 2046 section 5.1.4; MS-OXCMAIL section 2.1.3.3.8.2",
		Fix:    "Order the parts: text/plain, text/html (or multipart/related), text/calendar.",
		check: each(invites, func(d *document, r *report, p *mimetree.Part) {
			if p.Parent == nil || p.Parent.Media.Kind != "multipart/alternative" {
				return
			}
			siblings := p.Parent.Children
			if last := siblings[len(siblings)-1]; last != p {
				r.add(place{part: p}, "%s comes after the calendar", quote(last.Media.Kind))
			}
			html := false
			for _, s := range siblings {
				switch s.Media.Kind {
				case "text/html", "multipart/related":
					html = true
				case "text/plain":
					if html {
						r.add(place{part: s}, "the plain text comes after the HTML")
					}
				}
			}
		})},
	{ID: "IM05", Own: Error, Any: Warning, Origin: Composed, scope: inMail,
		Title:  "There is a plain text that says something",
		Why:    "Clients without calendar or HTML, notifications and screen readers show it; Apple Mail showed an empty mail without it.",
		Source: "RFC 6047 section 2.4 (SHOULD send a human-readable form); nodemailer issue 1017",
		Fix:    "Add a text/plain part that names event, time and place.",
		check:  func(d *document, r *report) { d.mustSay(r, "text/plain") }},
	{ID: "IM06", Own: Warning, Any: Warning, Origin: Composed, scope: inMail,
		Title:  "There is an HTML text that says something",
		Why:    "Outlook treats invitations without HTML badly; Zimbra adds one for its sake.",
		Source: "Zimbra, CalendarMailSender; MS-OXCMAIL section 2.1.3.3.8.2",
		Fix:    "Add a text/html part between the plain text and the calendar.",
		check:  func(d *document, r *report) { d.mustSay(r, "text/html") }},
	{ID: "IM07", Own: Warning, Any: Warning, Origin: Composed, scope: inMail,
		Title:  "The calendar is attached once more as application/ics, after the alternative",
		Why:    "Some clients overlook an alternative and take an attachment only.",
		Source: "CalConnect Developer's Guide, iMIP Best Practices; Cronofy, Sending Smart Invites",
		Fix:    "Attach the same bytes as application/ics to the multipart/mixed, behind the alternative.",
		check: func(d *document, r *report) {
			for i, p := range d.files {
				if i > 0 {
					r.add(place{part: p}, "this is another application/ics part")
				}
				if p.Parent != d.root || d.root.Media.Kind != "multipart/mixed" {
					r.add(place{part: p}, "application/ics is not a child of the outermost multipart/mixed")
				} else if p.Index == 1 {
					r.add(place{part: p}, "application/ics comes before the alternative")
				}
			}
			if len(d.files) == 0 {
				r.add(whole, "there is no application/ics part")
			}
		}},
	{ID: "IM08", Own: Error, Any: Error, Origin: Composed, scope: inMail,
		Title:  "The attached calendar is the same as the one in the alternative",
		Why:    "Clients take one or the other: two people would see two events.",
		Source: "RFC 6047 section 2.4 (no two slightly different objects)",
		Fix:    "Write the same bytes into both parts. (For the mail of others line ends may differ.)",
		check: each(files, func(d *document, r *report, p *mimetree.Part) {
			a, b := d.calendarText, p.Text()
			if d.foreign() {
				a, b = linesOf(a), linesOf(b)
			}
			if a != b && d.source.IsCalendar() {
				n := 0
				for n < len(a) && n < len(b) && a[n] == b[n] {
					n++
				}
				r.add(place{part: p, line: strings.Count(a[:n], "\n") + 1},
					"it differs from part %s from this line on", d.source.Path())
			}
		})},
	{ID: "IM11", Own: Error, Any: Warning, Origin: Composed, scope: inMail,
		Title:  "Images and the HTML that shows them find each other in one multipart/related",
		Why:    "An image that is not found is a broken picture; one that nobody shows is a stray attachment, which some clients offer in place of the invitation.",
		Source: "RFC 2392 section 2; RFC 2387; MS-OXCMAIL section 2.1.3.3.8.3",
		Fix:    "Put HTML and images into one multipart/related, each image with the Content-ID that the HTML names; better, send none.",
		check:  checkImages},
	{ID: "IM12", Own: Warning, Any: Warning, Origin: Composed, scope: inMail,
		Title:  "Nothing is attached but the calendar",
		Why:    "With other attachments some clients show a blank mail or hide the invitation.",
		Source: "nodemailer issue 1206; PHPMailer issue 175",
		Fix:    "Link to documents instead of attaching them.",
		check: each(parts, func(d *document, r *report, p *mimetree.Part) {
			switch {
			case p.IsMultipart(), p.IsCalendar(), p.IsICS(), p.IsBody("text/plain") || p.IsBody("text/html"):
			case p.Within("multipart/related") != nil || p.Within("multipart/alternative") != nil:
			default:
				r.add(place{part: p}, "a %s is attached", quote(p.Media.Kind))
			}
		})},
	{ID: "IM00", Own: Error, Any: Error, Origin: Composed,
		Title:  "The input is a message or an iCalendar text and can be read to its end",
		Why:    "Nobody shows what nobody reads; servers and clients have limits like the ones here.",
		Source: "RFC 5322 section 2.1; RFC 5545 section 3.4; the limits are those of this package",
		Fix:    "Give one whole message (.eml) or calendar (.ics). If it is one, make it smaller.",
		check: func(d *document, r *report) {
			for _, l := range d.limits {
				r.put(Finding{Level: Error, Origin: l.origin, Fatal: true}, l.where, "%s", l.what)
			}
		}},
}

func (d *document) mustSay(r *report, kind string) {
	p := d.body(kind)
	if p == nil {
		r.add(whole, "there is no %s part", kind)
		return
	}
	if strings.Trim(d.visible(kind), " \t\r\n\u00a0") == "" { // what is invisible was written
		r.add(place{part: p}, "it is blank")
	}
}

// linesOf returns a text without what differs by how lines end.
func linesOf(s string) string {
	return strings.ReplaceAll(strings.TrimRight(s, "\r\n"), "\r\n", "\n")
}

// checkImages is IM11: what cid: in the HTML names is there, and what has a Content-ID for it is
// shown.
func checkImages(d *document, r *report) {
	byID := map[string][]*mimetree.Part{}
	var named []*mimetree.Part
	for _, p := range d.parts {
		if f, _ := p.Field("Content-ID"); f != nil && !p.IsMultipart() && !p.IsCalendar() && !p.IsICS() {
			id := strings.Trim(f.Value, "<> \t")
			byID[id] = append(byID[id], p)
			named = append(named, p)
		}
	}
	shown := map[*mimetree.Part]bool{}
	for _, html := range d.parts {
		if !html.IsBody("text/html") || !namesContent(html.Text()) {
			continue
		}
		seen := map[string]bool{}
		for _, m := range contentID.FindAllStringSubmatch(html.Text(), -1) {
			id := m[1]
			if seen[id] {
				continue
			}
			seen[id] = true
			found := false
			for _, p := range byID[id] {
				if shareRelated(html, p) {
					found, shown[p] = true, true
				}
			}
			if !found {
				r.error(place{part: html}, "cid:%s names no part of the same multipart/related", quoteName(id))
			}
		}
	}
	for _, p := range named {
		if !shown[p] && !p.IsBody("text/html") && !p.IsBody("text/plain") {
			r.add(place{part: p}, "no HTML shows this %s, which has a Content-ID", quote(p.Media.Kind))
		}
	}
}

// contentID is what follows cid: in an attribute or a style of the HTML.
var contentID = regexp.MustCompile(`(?i)["'=(]cid:([^"'>) \t\r\n]+)`)

// namesContent reports whether contentID, which takes its time, can be found at all.
func namesContent(html string) bool {
	for before := range strings.SplitSeq(html, ":") {
		if n := len(before) - len("cid"); n > 0 && strings.EqualFold(before[n:], "cid") {
			return true
		}
	}
	return false
}

// shareRelated reports whether some multipart/related holds both.
func shareRelated(a, b *mimetree.Part) bool {
	for q := a.Within("multipart/related"); q != nil; q = q.Within("multipart/related") {
		if q.Has(b) {
			return true
		}
	}
	return false
}
