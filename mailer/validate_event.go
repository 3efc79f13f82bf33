package mailer

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/invitemailer/invitemailer/cronofy"
	"github.com/invitemailer/invitemailer/internal/safetext"
)

// The limits of an event, in Unicode code points
// (https://docs.cronofy.com/developers/api/events/upsert-event/).
const (
	maxSummary     = 1024
	maxDescription = 4096
)

// maxName is how much is told of a field's name that the API does not document.
const maxName = 60

// tag is what HTML in a description begins with.
var tag = regexp.MustCompile(`</?[a-zA-Z][^<>]*>`)

// checkEvent holds an event against the API's documentation, so that what it would refuse is told with
// line and field before the API is asked.
func (j *job) checkEvent(p *problems) {
	e := j.Event
	if strings.TrimSpace(e.Summary) == "" {
		p.add("event.summary", "is missing; give the event a title")
	}
	p.text("event.summary", e.Summary, maxSummary)
	p.text("event.description", e.Description, maxDescription)
	if l := e.Location; l != nil {
		p.text("event.location.description", l.Description, 0)
		p.text("event.location.lat", l.Lat, 0)
		p.text("event.location.long", l.Long, 0)
	}
	p.text("event.url", e.URL, 0)
	p.text("event.transparency", e.Transparency, 0)
	p.text("event.color", e.Color, 0)
	p.text("event.locale", e.Locale, 0)
	if tag.MatchString(e.Description) {
		j.warn("html_in_description", "event.description",
			"this looks like HTML, and is shown as the text that it is; calendars know plain text only")
	}
	j.checkZone("event.tzid", e.TZID, p)
	start := j.checkTime("event.start", e.Start, p)
	end := j.checkTime("event.end", e.End, p)
	switch {
	case !start || !end:
	case e.Start.DateOnly != e.End.DateOnly:
		p.add("event.end", "is a date where the start is a time, or the other way round; give two dates or two times")
	case !e.End.Time.After(e.Start.Time):
		p.add("event.end", "is not after event.start; an event needs a duration")
	}
	if e.URL != "" {
		p.addError("event.url", checkURL(e.URL))
	}
	j.checkExtra(p)
}

func (j *job) checkTime(field string, t cronofy.EventTime, p *problems) bool {
	if t.IsZero() {
		p.add(field, "is missing; give a time such as 2027-04-29T09:30:00Z, or a date")
		return false
	}
	return j.checkZone(field+".tzid", t.TZID, p)
}

// checkExtra tells of the event's fields that are not documented; of very many, the first.
func (j *job) checkExtra(p *problems) {
	extra := j.Event.Extra
	told := 0
	for _, name := range slices.Sorted(maps.Keys(extra)) {
		field := "event." + safetext.Short(name, maxName)
		var v any
		if json.Unmarshal(extra[name], &v) == nil { // what is no JSON, the client refuses
			p.anyText(field, v)
		}
		switch name {
		case "attendees":
			p.add(field, "cannot be set: a Smart Invite's attendees are its recipients")
			continue
		case "conferencing":
			p.add(field, "is not supported with Smart Invites; put the link into event.location or event.url")
			continue
		}
		if told++; told > maxProblems {
			continue
		}
		message := "this field is not documented for Smart Invites; it is passed on as it is"
		if told == maxProblems {
			message += fmt.Sprintf(", as are %d more", len(extra)-told)
		}
		j.warn("unknown_event_field", field, message)
	}
}

// text holds a text to a number of characters, if limit is not 0, and finds control characters other
// than tabs and line ends: calendars cannot have most of them (RFC 5545 section 3.1, CONTROL), mail
// should not (RFC 5322 section 3.5).
func (p *problems) text(field, s string, limit int) {
	if !utf8.ValidString(s) {
		p.add(field, "is not UTF-8; convert it")
		return
	}
	if n := utf8.RuneCountInString(s); limit > 0 && n > limit {
		p.add(field, "has %d characters, the limit is %d; shorten it", n, limit)
	}
	stray := func(r rune) bool { return unicode.IsControl(r) && r != '\t' && r != '\n' && r != '\r' }
	if at := strings.IndexFunc(s, stray); at >= 0 {
		c, _ := utf8.DecodeRuneInString(s[at:])
		p.add(field, "has a control character, %U, as character %d; take it out", c, utf8.RuneCountInString(s[:at])+1)
	}
}

// anyText is text for what holds texts at any depth, as JSON and the data of a template do.
func (p *problems) anyText(field string, v any) {
	switch v := v.(type) {
	case string:
		p.text(field, v, 0)
	case []any:
		for _, inner := range v {
			p.anyText(field, inner)
		}
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(v)) {
			p.text(field, name, 0)
			p.anyText(field, v[name])
		}
	}
}
