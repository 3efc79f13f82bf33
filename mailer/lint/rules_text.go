package lint

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/invitemailer/invitemailer/internal/ical"
	"github.com/invitemailer/invitemailer/internal/mimetree"
)

// The rules on content lines: line ends, folds, characters, quotes, escapes.
var textRules = []Rule{
	{ID: "IM47", Own: Error, Any: Warning, Origin: Composed, scope: inCalendar,
		Title:  "All lines of the calendar end in CRLF, the last one too",
		Why:    "Strict parsers refuse other line ends, and servers refuse or alter them in parts that are not encoded.",
		Source: "RFC 5545 section 3.1",
		Fix:    "End each line, folds included, in CRLF before encoding.",
		check: func(d *document, r *report) {
			last := 0
			for number, line := range d.cal.lines {
				if last = number; firstControl(line) == "\r" {
					r.add(d.at(number), "a CR without LF")
				}
			}
			if d.foreign() && d.inherited() {
				return
			}
			number := 0
			for line := range strings.Lines(d.cal.text) {
				if number++; strings.HasSuffix(line, "\n") && !strings.HasSuffix(line, "\r\n") {
					r.add(d.at(number), "a LF without CR")
				}
			}
			if !strings.HasSuffix(d.cal.text, "\n") {
				r.add(d.at(last), "the last line has no line end")
			}
		}},
	{ID: "IM48", Own: Warning, Any: Warning, Origin: Calendar, scope: inCalendar,
		Title:  "Content lines are at most 75 octets long, and never over 998 where they are not encoded",
		Why:    "Servers break lines over 998 octets, which spoils the value; some parsers stop at 75.",
		Source: "RFC 5545 section 3.1; RFC 5322 section 2.1.1",
		Fix:    "Fold: CRLF and one space after at most 75 octets.",
		check: func(d *document, r *report) {
			found := false
			for number, line := range d.cal.lines {
				if len(line) > mimetree.MaxLine && !d.encoded() {
					r.error(d.at(number), "the line is longer than 998 octets and not encoded")
					found = true
				}
			}
			if found {
				return
			}
			for number, line := range d.cal.lines {
				if len(line) > 75 {
					r.add(d.at(number), "the line is longer than 75 octets")
				}
			}
		}},
	{ID: "IM49", Own: Error, Any: Warning, Origin: Calendar, scope: inCalendar,
		Title:  "No fold cuts through a character, or through an escape",
		Why:    "Readers that decode before they unfold show garbage or drop the event.",
		Source: "RFC 5545 section 3.1; golang-ical issue 13; icalendar issue 87",
		Fix:    "Fold between characters, and not between a backslash and what it escapes.",
		check: func(d *document, r *report) {
			for line, fold := range d.cal.folds {
				before, after := fold.before, fold.after
				if after != "" && !utf8.RuneStart(after[0]) && before != "" && before[len(before)-1] >= utf8.RuneSelf {
					r.add(d.at(line), "the fold behind this line cuts a character in two: %s",
						quote(before[max(0, len(before)-20):]))
				} else if n := len(before) - len(strings.TrimRight(before, `\`)); n%2 == 1 && fold.text {
					r.warn(d.at(line), "the fold behind this line cuts an escape in two")
				}
			}
		}},
	{ID: "IM50", Own: Warning, Any: Warning, Origin: Calendar, scope: inMail | inCalendar,
		Title:  "No line that is folded ends in white space, unless it is encoded",
		Why:    "White space at the end of a line is lost on the way, and two words are glued together.",
		Source: "RFC 2045 section 6.7 rule 3 (on the loss); ProtonMail WebClients issue 513",
		Fix:    "Use quoted-printable, or fold before the space.",
		check: func(d *document, r *report) {
			if d.encoded() {
				return
			}
			for line, fold := range d.cal.folds {
				if strings.HasSuffix(fold.before, " ") || strings.HasSuffix(fold.before, "\t") {
					r.add(d.at(line), "the folded line ends in white space")
				}
			}
		}},
	{ID: "IM51", Own: Error, Any: Error, Origin: Calendar, scope: inCalendar,
		Title:  "The calendar is UTF-8 and has no control characters but tabs",
		Why:    "Clients show garbage, or drop the event.",
		Source: "RFC 5545 sections 3.1 and 3.3.11",
		Fix:    "Write UTF-8, line breaks in texts as \\n, and leave controls out.",
		check: func(d *document, r *report) {
			for number, line := range d.cal.lines {
				if c := firstControl(line); c != "" && c != "\r" {
					r.add(d.at(number), "a control character")
				}
			}
			for line := range ical.Lines(d.cal.text) { // a fold may cut through a character
				if !utf8.ValidString(line.Text) {
					r.add(d.at(line.Number), "this is not UTF-8")
				}
			}
		}},
	{ID: "IM52", Own: Error, Any: Error, Origin: Calendar, scope: inCalendar,
		Title:  "Parameters are well formed: name=value, quoted where : ; or , is in the value, no quote within, none twice",
		Why:    "An unquoted colon ends the parameters early: the address is then something else, and the invitation somebody else's.",
		Source: "RFC 5545 sections 3.1 and 3.2; RFC 6868 section 3; tine20 issue 4642",
		Fix:    "Put the value in double quotes; write a double quote within as ^'.",
		check: func(d *document, r *report) {
			for _, p := range d.cal.Properties {
				if p.Params != "" {
					checkParams(d, r, p)
				}
			}
		}},
	{ID: "IM53", Own: Warning, Any: Warning, Origin: Calendar, scope: inCalendar,
		Title:  "In texts, comma, semicolon and backslash are escaped and colons are not; no vCalendar 1.0 encodings",
		Why:    "Readers cut the text at a bare semicolon or comma, or show the backslash.",
		Source: "RFC 5545 section 3.3.11; my-calendar issue 560",
		Fix:    "Write \\, \\; \\\\ and \\n in SUMMARY, DESCRIPTION, LOCATION; no ENCODING=QUOTED-PRINTABLE, no CHARSET.",
		check: func(d *document, r *report) {
			for _, p := range d.cal.Properties {
				if e, ok := p.Parameter("ENCODING"); ok && strings.EqualFold(e.Value, "QUOTED-PRINTABLE") {
					r.add(d.at(p.Line), "%s has ENCODING=QUOTED-PRINTABLE", p.Name)
				}
				if _, ok := p.Parameter("CHARSET"); ok {
					r.add(d.at(p.Line), "%s has a CHARSET", p.Name)
				}
				if slices.Contains(texts, p.Name) {
					checkEscapes(d, r, p)
				}
			}
		}},
}

// texts are the properties with one value of type TEXT that invitations have.
var texts = []string{"SUMMARY", "DESCRIPTION", "LOCATION", "COMMENT", "CONTACT"}

// inherited reports whether the line ends of the calendar are those of the file it was found in,
// and the file has been stored with bare LFs.
func (d *document) inherited() bool {
	return d.stored && d.source != nil && d.source.Encoding != "base64"
}

// firstControl returns the first control character of a line but tabs, "" if there is none.
func firstControl(line string) string {
	i := strings.IndexFunc(line, func(c rune) bool { return isControl(c) && c != '\t' })
	if i < 0 {
		return ""
	}
	return line[i : i+1]
}

// fold is one fold: what stands before and after it on their physical lines.
type fold struct {
	before, after string
	text          bool // within a text, where a backslash escapes
}

// folds yields each fold with the number of the line before it.
func (c *calendar) folds(yield func(int, fold) bool) {
	for _, p := range c.Properties {
		lines := strings.Split(p.Raw, "\n")
		for i, before := range lines[:len(lines)-1] {
			f := fold{strings.TrimSuffix(before, "\r"), lines[i+1][min(1, len(lines[i+1])):],
				slices.Contains(texts, p.Name)}
			if !yield(p.Line+i, f) {
				return
			}
		}
	}
}

// alone are the parameters that have one value, in which an unquoted comma is a mistake.
var alone = []string{"CN", "ROLE", "PARTSTAT", "RSVP", "CUTYPE", "SENT-BY", "DIR", "TZID",
	"LANGUAGE", "ALTREP", "EMAIL", "VALUE", "RANGE", "RELATED"}

// checkParams is IM52 for one property.
func checkParams(d *document, r *report, p *ical.Property) {
	seen := make([]string, 0, 8)
	for q := range p.Parameters {
		switch {
		case q.Name == "":
			r.add(d.at(p.Line), "%s: the parameter %s has no name; is it the rest of a value "+
				"that needs quotes?", p.Name, quote(q.Value))
		case !ical.IsName(q.Name):
			r.add(d.at(p.Line), "%s: %s is no name of a parameter", p.Name, quote(q.Name))
		case q.Misquoted():
			r.add(d.at(p.Line), "%s: there is a double quote within %s=%s", p.Name, q.Name, quote(q.Value))
		case !q.Quoted && strings.Contains(q.Value, ",") && slices.Contains(alone, q.Name):
			r.add(d.at(p.Line), "%s: %s=%s needs quotes for its comma", p.Name, q.Name, quote(q.Value))
		}
		if len(seen) < 50 {
			if slices.Contains(seen, q.Name) && q.Name != "" {
				r.add(d.at(p.Line), "%s: %s is there twice", p.Name, q.Name)
			}
			seen = append(seen, q.Name)
		}
	}
	// An unquoted colon shows in the value: what should be the address comes later.
	if p.Name == "ORGANIZER" || p.Name == "ATTENDEE" {
		if i := strings.Index(strings.ToLower(p.Value), "mailto:"); i > 0 {
			r.add(d.at(p.Line), "%s: a parameter needs quotes for its colon; the value is %s", p.Name, quote(p.Value))
		}
	}
}

// checkEscapes is IM53 for one text.
func checkEscapes(d *document, r *report, p *ical.Property) {
	v := p.Value
	for i := 0; i < len(v); i++ {
		switch v[i] {
		case ',', ';':
			r.add(d.at(p.Line), "%s: %q is not escaped: %s", p.Name, v[i], quote(v[max(0, i-20):]))
			return
		case '\\':
			i++
			if i == len(v) {
				r.add(d.at(p.Line), "%s ends in a backslash", p.Name)
			} else if !strings.ContainsRune(`\;,nN`, rune(v[i])) {
				r.add(d.at(p.Line), "%s: there is no escape %s", p.Name, quote(v[i-1:min(len(v), i+1)]))
				return
			}
		}
	}
}
