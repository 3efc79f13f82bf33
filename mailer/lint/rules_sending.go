package lint

import (
	"slices"
	"strings"
)

// The rules on who the mail is from and to, and on how machines are to treat it.
var sendingRules = []Rule{
	{ID: "IM63", Own: Warning, Any: Off, Origin: Composed, scope: inMail | inCalendar,
		Title:  "From is the ORGANIZER, or Reply-To says where people's answers go",
		Why:    "Google advises one address for each organizer; a person who just presses reply must reach somebody.",
		Source: "Google, Calendar API: invite users to an event; RFC 6047 section 2.3; Nextcloud, IMipPlugin.php",
		Fix:    "Send as the ORGANIZER, or add a Reply-To.",
		check: func(d *document, r *report) {
			organizer := d.cal.organizer()
			if organizer == "" || len(d.from) == 0 || d.from[0].key == organizer {
				return
			}
			if _, n := d.field("Reply-To"); n == 0 {
				r.add(place{header: "From"},
					"it is from %s, the ORGANIZER is %s, and there is no Reply-To",
					quote(d.from[0].addr), quote(organizer))
			}
		}},
	{ID: "IM64", Own: Error, Any: Off, Origin: Composed, scope: inMail,
		Title:  "One recipient, in To; no Cc, no Bcc",
		Why:    "Gmail makes no invitation of what comes as Cc, and nobody need learn who else is invited from the header.",
		Source: "CalConnect Developer's Guide, iMIP Best Practices (one mail for each attendee); boardcloud.org help",
		Fix:    "Send one mail for each person.",
		check: func(d *document, r *report) {
			if len(d.to) > 1 {
				r.add(place{header: "To"}, "there are %d addresses", len(d.to))
			}
			for _, name := range []string{"Cc", "Bcc"} {
				if f, _ := d.field(name); f != nil {
					r.add(place{header: name}, "there is one: %s", quote(f.Value))
				}
			}
		}},
	{ID: "IM65", Own: Warning, Any: Warning, Origin: Composed, scope: inMail,
		Title:  "No Sender; if there is one it is not the From, and in own mail of the same domain; several From need one",
		Why:    "Outlook shows \"on behalf of\", and a Sender of another domain fails DMARC with some receivers.",
		Source: "RFC 5322 section 3.6.2; OpenDMARC issue 192",
		Fix:    "Leave Sender out.",
		check: func(d *document, r *report) {
			where := place{header: "Sender"}
			_, n := d.field("Sender")
			if n == 0 {
				if len(d.from) > 1 {
					r.error(where, "there is none, but From has %d addresses", len(d.from))
				}
				return
			}
			sender := d.mailboxes["Sender"]
			if len(sender) != 1 || len(d.from) == 0 {
				r.add(where, "it is not one address")
				return
			}
			from := d.from[0].key
			switch {
			case len(d.from) == 1 && sender[0].key == from:
				r.add(where, "it repeats the From")
			case !d.foreign() && !sameOrganization(domain(sender[0].key), domain(from)):
				r.add(where, "its domain, %s, is not that of From, %s",
					quoteName(domain(sender[0].key)), quoteName(domain(from)))
			}
		}},
	{ID: "IM67", Own: Warning, Any: Off, Origin: Composed, scope: inMail,
		Title:  "Auto-Submitted: auto-generated is there",
		Why:    "It keeps absence notes and other machines from answering.",
		Source: "RFC 3834 section 5; CalConnect Developer's Guide, iMIP Best Practices",
		Fix:    "Add Auto-Submitted: auto-generated.",
		check: func(d *document, r *report) {
			value, _, _ := strings.Cut(d.value("Auto-Submitted"), ";")
			if !strings.EqualFold(strings.TrimSpace(value), "auto-generated") {
				r.add(place{header: "Auto-Submitted"}, "it is %s", quote(value))
			}
		}},
	{ID: "IM68", Own: Warning, Any: Warning, Origin: Composed, scope: inMail,
		Title:  "No Precedence of bulk, list or junk; X-Auto-Response-Suppress does not suppress everything",
		Why:    "The first has the mail sorted as advertising, the second loses the reports of what could not be delivered.",
		Source: "RFC 2076 section 3.9 (Precedence is discouraged); MS-OXCMAIL, on X-Auto-Response-Suppress",
		Fix:    "Leave Precedence out; write X-Auto-Response-Suppress: OOF, AutoReply, if at all.",
		check: func(d *document, r *report) {
			if v := d.value("Precedence"); slices.Contains([]string{"bulk", "list", "junk"}, strings.ToLower(v)) {
				r.add(place{header: "Precedence"}, "it is %s", quote(v))
			}
			for v := range strings.SplitSeq(d.value("X-Auto-Response-Suppress"), ",") {
				if v = strings.ToLower(strings.TrimSpace(v)); v == "all" || v == "dr" || v == "ndr" {
					r.add(place{header: "X-Auto-Response-Suppress"}, "it is %s", quote(v))
				}
			}
		}},
	{ID: "IM69", Own: Error, Any: Error, Origin: Composed, scope: inMail,
		Title:  "List-Unsubscribe-Post comes with an https List-Unsubscribe, both signed; an invitation to one person needs neither",
		Why:    "Receivers ignore, or count as abuse, a one-click unsubscribe that is incomplete.",
		Source: "RFC 8058 sections 3.1 and 4; RFC 2369 section 3.2",
		Fix:    "Leave both out; or send List-Unsubscribe: <https://…> with it and sign both.",
		check: func(d *document, r *report) {
			list, hasList := d.field("List-Unsubscribe")
			_, hasPost := d.field("List-Unsubscribe-Post")
			if hasPost > 0 {
				if hasList == 0 || !containsFold(list.Value, "<https:") {
					r.add(place{header: "List-Unsubscribe-Post"}, "there is no https address in List-Unsubscribe")
				}
				if signatures := d.signatures(); len(signatures) > 0 &&
					!slices.ContainsFunc(signatures, func(s signature) bool {
						return s.covers("list-unsubscribe") && s.covers("list-unsubscribe-post")
					}) {
					r.add(place{header: "DKIM-Signature"}, "it does not cover List-Unsubscribe and List-Unsubscribe-Post")
				}
			}
			if hasList > 0 && !d.foreign() {
				r.warn(place{header: "List-Unsubscribe"}, "an invitation to one person is no mailing list")
			}
		}},
	{ID: "IM79", Own: Warning, Any: Warning, Origin: Composed, scope: inMail,
		Title:  "A DKIM signature covers the fields that matter, and the whole body",
		Why:    "What is not covered can be changed on the way without breaking the signature, the calendar included.",
		Source: "RFC 6376 sections 5.4 and 8.2",
		Fix:    "Sign From, To, Subject, Date, Message-ID, MIME-Version, Content-Type and Reply-To; no l=.",
		check: func(d *document, r *report) {
			missing := ""
			for i, s := range d.signatures() {
				if s.length {
					r.add(place{header: "DKIM-Signature"}, "it has l=: what is added behind is not covered")
				}
				name := d.unsigned(s)
				if i == 0 || name == "" {
					missing = name
				}
				if name == "" {
					break
				}
			}
			if missing != "" {
				r.add(place{header: "DKIM-Signature"}, "it does not cover %s", missing)
			}
		}},
}

// sameOrganization reports whether one domain is the other or below it.
func sameOrganization(a, b string) bool {
	return a == b || strings.HasSuffix(a, "."+b) || strings.HasSuffix(b, "."+a)
}

// signature is a DKIM-Signature (RFC 6376 section 3.5).
type signature struct {
	fields []string // h=, in lower case
	length bool     // l=
}

func (s signature) covers(lower string) bool { return slices.Contains(s.fields, lower) }

// signatures reads the DKIM signatures, ten at most.
func (d *document) signatures() []signature {
	var all []signature
	for f := range d.root.Each("DKIM-Signature") {
		if len(all) == 10 {
			break
		}
		var s signature
		for tag := range strings.SplitSeq(f.Value, ";") {
			name, value, _ := strings.Cut(tag, "=")
			switch strings.TrimSpace(name) {
			case "h":
				for field := range strings.SplitSeq(value, ":") {
					s.fields = append(s.fields, strings.ToLower(strings.TrimSpace(field)))
				}
			case "l":
				s.length = true
			}
		}
		all = append(all, s)
	}
	return all
}

// unsigned returns the first field that is there and matters and that s does not cover, or "".
func (d *document) unsigned(s signature) string {
	names := []string{"From", "To", "Subject", "Date", "Message-ID", "MIME-Version", "Content-Type", "Reply-To"}
	for _, name := range names {
		if _, n := d.field(name); n > 0 && !s.covers(strings.ToLower(name)) {
			return name
		}
	}
	return ""
}
