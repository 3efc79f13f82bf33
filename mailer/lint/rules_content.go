package lint

import (
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/invitemailer/invitemailer/internal/ical"
	"github.com/invitemailer/invitemailer/internal/mimetree"
	"github.com/invitemailer/invitemailer/internal/safetext"
)

// The rules on what the mail says to its reader.
var contentRules = []Rule{
	{ID: "IM74", Own: Warning, Any: Off, Origin: Composed, scope: inMail | inEvent,
		Title:  "Plain text and HTML both show title, zone of the start, place and organizer; a cancellation says so and offers no answer",
		Why:    "Clients without calendars show nothing else, and a calendar may hide an event of an unknown sender until its mail is answered.",
		Source: "RFC 6047 section 4.2; Google Calendar help, answer 37135",
		Fix:    "Name them in both texts.",
		check:  checkContent},
	{ID: "IM75", Own: Warning, Any: Off, Origin: Composed, scope: inMail | inEvent,
		Title:  "The start in the text is DTSTART in the zone of the event",
		Why:    "Two times in one mail: half of the guests come at the wrong one.",
		Source: "RFC 6047 section 4.2; cal.diy issue 9485",
		Fix:    "Write the text from the calendar.",
		check: func(d *document, r *report) {
			p, _ := d.cal.main().Get("DTSTART")
			if p == nil || !p.When().OK {
				return
			}
			for _, kind := range []string{"text/plain", "text/html"} {
				text := d.shown[kind]
				if text != "" && !showsTime(text, p.When()) && !showsTimeAhead(text, p.When()) {
					r.add(place{part: d.body(kind)}, "the text does not show the start, %s", quoteName(p.Value))
				}
			}
		}},
	{ID: "IM76", Own: Warning, Any: Off, Origin: Composed, scope: inMail | inEvent,
		Title:  "The Subject says the title, and whether it is an invitation, an update or a cancellation",
		Why:    "It is all that many readers see.",
		Source: "Thunderbird and sabre/dav write it so; experience",
		Fix:    "\"Invitation: …\", \"Updated invitation: …\", \"Cancelled: …\" and the SUMMARY.",
		check: func(d *document, r *report) {
			e := d.cal.main()
			f, _ := d.field("Subject")
			if f == nil {
				return
			}
			where := place{header: "Subject"}
			plain := decodeHeader(f.Value)
			text, title := squeeze(plain), beginning(ical.UnescapeText(e.Value("SUMMARY")))
			if title != "" && !strings.Contains(text, title) {
				r.add(where, "SUMMARY, %s, is not in it: %s", quote(e.Value("SUMMARY")), quote(plain))
				return
			}
			frame := strings.Replace(text, title, "", 1)
			updated := hasPrefixFold(frame, "updated")
			number, _ := sequence(e)
			switch {
			case d.method == "CANCEL" && !saysCancelled(frame):
				r.add(where, "it does not say that the event is cancelled: %s", quote(plain))
			case d.method != "REQUEST":
			case saysCancelled(strings.Replace(frame, squeeze(ical.UnescapeText(e.Value("SUMMARY"))), "",
				1)) && !saysCancelled(title):
				r.add(where, "it speaks of a cancellation, but METHOD is REQUEST: %s", quote(plain))
			case updated && number == 0 && d.options.Previous == nil:
				r.add(where, "it speaks of an update, but SEQUENCE is 0: %s", quote(plain))
			case d.options.Previous != nil && !d.repeats() && d.options.Previous.cal.method == "REQUEST" &&
				hasPrefixFold(frame, "invitation:"):
				r.add(where, "it does not say that this is an update: %s", quote(plain))
			}
		}},
	{ID: "IM77", Own: Warning, Any: Warning, Origin: Composed, scope: inMail,
		Title:  "The HTML has links to https, http, tel and mailto only, no form, script or style from elsewhere, and is below 100 kB",
		Why:    "Clients take the rest out, scanners count it as an attack, and Gmail cuts off what is longer.",
		Source: "Experience: mail clients sanitize, and Gmail clips at 102 kB",
		Fix:    "Keep the HTML plain and small.",
		check: each(parts, func(d *document, r *report, p *mimetree.Part) {
			if !p.IsBody("text/html") {
				return
			}
			text, where := p.Text(), place{part: p}
			if len(text) >= maxHTML {
				r.add(where, "it has %d octets", len(text))
			}
			tags := d.html[p].tags
			for _, tag := range tags {
				switch tag.Data {
				case "form", "script", "iframe", "object", "embed":
					r.add(where, "there is a <%s>", tag.Data)
				}
			}
			for _, tag := range tags {
				for _, a := range tag.Attr {
					checkAttribute(r, where, tag.Data, a.Key, strings.TrimSpace(a.Val))
				}
			}
		})},
}

// enough is how many characters of a text must be shown: a long one may be cut.
const enough = 40

// beginning returns as much of s, squeezed, as must be shown.
func beginning(s string) string {
	s, _ = safetext.Cut(s, 20*enough)
	all := []rune(squeeze(s))
	return string(all[:min(len(all), enough)])
}

// checkContent is IM74.
func checkContent(d *document, r *report) {
	e := d.cal.main()
	if d.method != "REQUEST" && d.method != "CANCEL" {
		return
	}
	for _, kind := range []string{"text/plain", "text/html"} {
		text := d.shown[kind]
		if text == "" {
			continue // IM05, IM06
		}
		where := place{part: d.body(kind)}
		for _, name := range []string{"SUMMARY", "LOCATION"} {
			if s := beginning(ical.UnescapeText(e.Value(name))); s != "" && !strings.Contains(text, s) {
				r.add(where, "%s is not shown: %s", name, quote(e.Value(name)))
			}
		}
		if p, _ := e.Get("DTSTART"); p != nil {
			tzid, ok := p.Parameter("TZID")
			isShown := func(s string) bool { return strings.Contains(text, s) }
			if ok && !slices.ContainsFunc([]string{squeeze(tzid.Value), "UTC", "GMT"}, isShown) {
				r.add(where, "the zone is not shown: %s", quote(tzid.Value))
			}
		}
		if !d.showsOrganizer(text) {
			r.add(where, "the organizer is not shown")
		}
		if d.method == "CANCEL" && !saysCancelled(text) {
			r.add(where, "it does not say that the event is cancelled")
		}
	}
	if p := d.body("text/html"); p != nil && d.method == "CANCEL" {
		for link := range d.html[p].links {
			if containsFold(link, "rsvp") || containsFold(link, "accept") || containsFold(link, "decline") {
				r.add(place{part: p}, "a cancellation offers an answer: %s", quote(link))
			}
		}
	}
}

// showsOrganizer looks for the ORGANIZER or for who sends the mail in its place.
func (d *document) showsOrganizer(text string) bool {
	var names []string
	for _, o := range d.cal.organizers[:min(10, len(d.cal.organizers))] {
		cn, _ := o.property.Parameter("CN")
		names = append(names, ical.UnescapeParameter(cn.Value), o.key)
	}
	for _, header := range []string{"From", "Reply-To"} {
		for _, box := range d.mailboxes[header] {
			names = append(names, box.name, box.addr)
		}
	}
	known := false
	for _, name := range names {
		if s := beginning(name); s != "" {
			if known = true; strings.Contains(text, s) || containsFold(text, strings.ToLower(s)) {
				return true
			}
		}
	}
	return !known
}

// cancelled are the beginnings of what it is called, in the languages that mails are most often
// written in.
var cancelled = []string{
	"cancel", "abgesagt", "storniert", "annul", "geannuleerd", "anulad", "avlyst", "aflyst", "inställ",
	"peru", "odwołan", "anulowan", "zrušen", "lemond", "törölv", "anulat", "отмен", "скасован",
	"iptal", "ακυρ", "取消", "キャンセル", "中止", "취소", "dibatalkan", "hủy", "ยกเลิก", "ملغ", "إلغاء",
	"בוטל", "रद्द",
}

func saysCancelled(text string) bool {
	text = strings.ToLower(text)
	return slices.ContainsFunc(cancelled, func(word string) bool { return strings.Contains(text, word) })
}

// showsTime looks for the day of the month and the clock time among the numbers of a text, however
// they are written.
func showsTime(text string, w ical.When) bool {
	const digits = "0123456789"
	hour, minute := w.Clock.Hour(), w.Clock.Minute()
	hour12 := (hour+11)%12 + 1
	day, clock, last := false, w.Day, -1
	for {
		gap := strings.IndexAny(text, digits)
		if gap < 0 {
			break
		}
		rest := strings.TrimLeft(text[gap:], digits)
		n, _ := strconv.Atoi(text[gap : len(text)-len(rest)]) // far too large is no part of a time either
		day = day || n == w.Clock.Day()
		near := last >= 0 && gap <= 6
		if near && n == minute && (last == hour || last == hour12) || n == hour12 && minute == 0 { // "9 am"
			clock = true
		}
		text, last = rest, n
	}
	// Written in other digits, or in letters, there is nothing to compare.
	return last < 0 || day && clock
}

var utcOffset = regexp.MustCompile(`UTC[+-][0-9]{2}:[0-9]{2}`)

// showsTimeAhead looks for a time in UTC by the clocks that the text itself says are ahead of it or
// behind: "10:30 (Europe/London, UTC+01:00)".
func showsTimeAhead(text string, w ical.When) bool {
	if !w.UTC {
		return false
	}
	for _, offset := range utcOffset.FindAllString(text, maxOffsets) {
		ahead, err := time.Parse("UTC-07:00", offset)
		if err != nil {
			continue
		}
		_, seconds := ahead.Zone()
		there := w
		there.Clock = w.Clock.Add(time.Duration(seconds) * time.Second)
		if showsTime(text, there) {
			return true
		}
	}
	return false
}

// maxOffsets is how many offsets of one text are tried.
const maxOffsets = 100

const maxHTML = 100_000

// checkAttribute is IM77 for one attribute.
func checkAttribute(r *report, where place, element, name, value string) {
	switch name {
	case "rel":
		if element == "link" && containsFold(value, "stylesheet") {
			r.add(where, "it takes a style from elsewhere")
		}
		return
	case "src", "href", "action":
	default:
		return
	}
	scheme, _, ok := strings.Cut(value, ":")
	legal := []string{"https", "http", "tel", "mailto"}
	if name == "src" {
		legal = append(legal, "cid")
	}
	switch {
	case value == "", strings.HasPrefix(value, "#"):
	case !ok:
		r.add(where, "a link without a scheme: %s", quote(value))
	case !slices.Contains(legal, strings.ToLower(scheme)):
		r.add(where, "a link to %s", quote(value))
	}
}

// checkLinksInEvent is the half of IM56 on links.
func checkLinksInEvent(d *document, r *report, e *ical.Component) {
	p := d.body("text/html")
	if p == nil {
		return
	}
	var event strings.Builder
	for _, property := range e.Properties {
		event.WriteString(property.Text() + "\n")
	}
	seen := map[string]bool{}
	for link := range d.html[p].links {
		if seen[link] || !hasPrefixFold(link, "http:") && !hasPrefixFold(link, "https:") {
			continue
		}
		if seen[link] = true; len(seen) > maxLinks {
			return
		}
		if !containsLink(event.String(), link) {
			r.add(place{part: p}, "the link %s is not in the calendar", quote(link))
		}
	}
}

// maxLinks is how many links of one mail are looked for in the calendar.
const maxLinks = 50

// containsLink looks for a link as it is and as it may be encoded.
func containsLink(text, link string) bool {
	if strings.Contains(text, link) {
		return true
	}
	u, err := url.Parse(link)
	return err == nil && (strings.Contains(text, u.String()) || strings.Contains(text, strings.TrimSuffix(link, "/")))
}
