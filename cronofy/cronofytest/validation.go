package cronofytest

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/mail"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/invitemailer/invitemailer/cronofy"
	"github.com/invitemailer/invitemailer/internal/zone"
)

// problems are validation errors by field, in the documented shape.
type problems map[string][]problem

type problem struct {
	Key         string `json:"key"`
	Description string `json:"description"`
}

func (p problems) add(field, key, description string) {
	p[field] = append(p[field], problem{Key: key, Description: description})
}

func (p problems) addRequired(field string) { p.add(field, "errors.required", "required") }

func (p problems) answer() answer {
	return jsonAnswer(http.StatusUnprocessableEntity, map[string]problems{"errors": p})
}

// refuse is the answer for one problem.
func refuse(field, key, description string) *answer {
	p := problems{}
	p.add(field, key, description)
	a := p.answer()
	return &a
}

// check notes what is wrong with the value of a field: nil where it is left out or null.
type check func(p problems, field string, value any)

// typed is a check for a JSON type, such as "an object", and for what further notes.
func typed[T any](typeName string, further func(p problems, field string, value T)) check {
	_, name, _ := strings.Cut(typeName, " ")
	return func(p problems, field string, value any) {
		if v, ok := value.(T); ok {
			further(p, field, v)
		} else if value != nil {
			p.add(field, "errors.must_be_"+name, "must be "+typeName)
		}
	}
}

// object is a check for an object of these members; nil marks one that is not supported.
func object(members map[string]check) check {
	return typed("an object", func(p problems, field string, o map[string]any) {
		prefix := field + "."
		if field == "" {
			prefix = ""
		}
		for name := range o {
			if c, known := members[name]; !known {
				p.add(prefix+name, "errors.unknown", "unknown field")
			} else if c == nil {
				p.add(prefix+name, "errors.not_supported", "not supported with Smart Invites")
			}
		}
		for name, c := range members {
			if c != nil {
				c(p, prefix+name, o[name])
			}
		}
	})
}

func list(element check) check {
	return typed("an array", func(p problems, field string, values []any) {
		for i, v := range values {
			name := fmt.Sprintf("%s[%d]", field, i)
			if v == nil {
				p.add(name, "errors.must_be_object", "must be an object")
			}
			element(p, name, v)
		}
	})
}

// required is a check for a value that is neither left out nor blank.
func required(c check) check {
	return func(p problems, field string, value any) {
		text, isText := value.(string)
		if value == nil || isText && strings.TrimSpace(text) == "" {
			p.addRequired(field)
			return
		}
		c(p, field, value)
	}
}

// text is a check for a string that is empty or valid.
func text(key, description string, valid func(string) bool) check {
	return typed("a string", func(p problems, field, value string) {
		if value != "" && !valid(value) {
			p.add(field, key, description)
		}
	})
}

// maxText is a check for a string of at most so many code points.
func maxText(limit int) check {
	return text("errors.too_long", fmt.Sprintf("must be at most %d characters", limit),
		func(s string) bool { return utf8.RuneCountInString(s) <= limit })
}

func oneOf(key, description string, values ...string) check {
	return typed("a string", func(p problems, field, value string) {
		if !slices.Contains(values, value) {
			p.add(field, key, description)
		}
	})
}

// degrees is a check for a decimal number, which the API takes as a string.
func degrees(limit float64) check {
	return text("errors.invalid", "must be decimal degrees", func(s string) bool {
		n, err := strconv.ParseFloat(s, 64)
		return err == nil && n >= -limit && n <= limit && strings.Trim(s, "+-.0123456789") == ""
	})
}

var (
	anything = func(problems, string, any) {}
	anyText  = typed("a string", func(problems, string, string) {})
	boolean  = typed("a boolean", func(problems, string, bool) {})
	minutes  = typed("an integer", func(p problems, field string, n json.Number) {
		if _, err := strconv.ParseUint(n.String(), 10, 31); err != nil {
			p.add(field, "errors.must_be_integer", "must be an integer, not negative, of 32 bits")
		}
	})
	// email is a check for a plain addr-spec.
	email = text("errors.invalid_email", "must be an email address", func(s string) bool {
		parsed, err := mail.ParseAddress(s)
		return err == nil && parsed.Address == s && !strings.ContainsAny(s, " \t\"")
	})
	anyURL = text("errors.invalid_url", "must be an absolute URL", func(s string) bool {
		u, err := url.Parse(s)
		return err == nil && u.IsAbs()
	})
	callbackURL = text("errors.invalid_url", "must be an absolute URL", func(s string) bool {
		u, err := url.Parse(s)
		return err == nil && u.Host != "" && (u.Scheme == "http" || u.Scheme == "https")
	})
	zoneName = text("errors.unknown_tzid", "must be a time zone identifier", func(s string) bool {
		_, known := zone.Load(s)
		return known
	})
	recipient = object(map[string]check{"email": required(email)})

	requestFields = object(map[string]check{
		"method": oneOf("errors.unknown_method", "must be request, cancel or remove",
			actionRequest, actionCancel, actionRemove),
		"smart_invite_id": required(anyText),
		"recipient":       recipient,
		"recipients":      list(recipient),
		"callback_url":    callbackURL,
		"event":           object(eventFields),
		"organizer":       object(map[string]check{"name": anyText, "email": email}),
	})
	// eventFields are limited as in create-or-update-event.
	eventFields = map[string]check{
		"summary":               required(maxText(1024)),
		"description":           maxText(4096),
		"start":                 required(checkTime),
		"end":                   required(checkTime),
		"tzid":                  zoneName,
		"url":                   anyURL,
		"reminders":             list(object(map[string]check{"minutes": required(minutes)})),
		"reminders_create_only": boolean,
		"transparency": oneOf("errors.invalid", "must be opaque or transparent",
			"", "opaque", "transparent"),
		"color":         anyText,
		"event_private": boolean,
		"locale":        anyText,
		"recurrence":    anything,
		"subscriptions": anything,
		"event_classes": anything,
		"attendees":     nil,
		"conferencing":  nil,
		"location": object(map[string]check{
			"description": anyText, "lat": degrees(85.05115), "long": degrees(180),
		}),
	}
	timeFields = object(map[string]check{
		"time": required(typed("a string", checkTimeText)), "tzid": required(zoneName),
	})
	statusFields = object(map[string]check{
		"smart_invite_id": required(anyText),
		"recipient_email": anyText,
		"include_ics":     oneOf("errors.must_be_boolean", "must be true or false", "", "true", "false"),
	})
)

// checkTime is a check for a string or an object {time, tzid}.
func checkTime(p problems, field string, value any) {
	switch v := value.(type) {
	case string:
		checkTimeText(p, field, v)
	case map[string]any:
		timeFields(p, field, v)
	default:
		p.add(field, "errors.invalid_time", "must be a date, a time, or an object of time and tzid")
	}
}

// timeForm are the data types Date and Time. A space for the T comes from an official SDK and is
// let pass; fractions must be zero.
var timeForm = regexp.MustCompile(
	`^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2}))?$`)

func checkTimeText(p problems, field, value string) {
	var t cronofy.EventTime
	match := timeForm.FindStringSubmatch(value)
	if match != nil && strings.Trim(match[2], ".0") != "" {
		p.add(field, "errors.invalid_time", "must not have milliseconds")
	} else if match == nil || t.UnmarshalJSON([]byte(`"`+value+`"`)) != nil {
		p.add(field, "errors.invalid_time", "must be an ISO 8601 date or time")
	}
}

const (
	actionRequest = "request"
	actionCancel  = "cancel"
	actionRemove  = "remove"
)

// command is a POST that passed validation.
type command struct {
	Method string `json:"method"`
	cronofy.InviteRequest
}

func (c *command) isMulti() bool { return len(c.Recipients) > 0 }

func (c *command) emails() []string {
	if !c.isMulti() {
		return []string{c.Recipient.Email}
	}
	var all []string
	for _, r := range c.Recipients {
		all = append(all, r.Email)
	}
	return all
}

// parse reads a POST and notes what is wrong with it: with single fields, or else with what they
// say together.
func parse(r *Request) (*command, problems) {
	p := problems{}
	requestFields(p, "", r.Body)
	one, several := r.Body["recipient"], r.Body["recipients"]
	list, isList := several.([]any)
	switch {
	case one != nil && several != nil:
		p.add("recipients", "errors.exclusive", "give either recipient or recipients")
	case one == nil && several == nil:
		p.addRequired("recipient")
	case isList && len(list) == 0:
		p.addRequired("recipients")
	case isList && r.Action == actionRemove:
		p.add("recipients", "errors.not_supported", "remove takes one recipient")
	}
	if r.Body["event"] == nil && r.Action == actionRequest {
		p.addRequired("event")
	}
	if len(p) > 0 {
		return nil, p
	}
	c := &command{}
	if err := json.Unmarshal(r.Raw, c); err != nil {
		p.add("event", "errors.invalid", err.Error())
		return nil, p
	}
	c.Method = r.Action
	seen := make(map[string]bool)
	for i, r := range c.Recipients {
		if seen[fold(r.Email)] {
			p.add(fmt.Sprintf("recipients[%d].email", i), "errors.duplicate", "is in the list twice")
		}
		seen[fold(r.Email)] = true
	}
	if c.Event != nil {
		completeEvent(p, c.Event)
	}
	return c, p
}

// completeEvent gives each time its zone, and notes what does not fit together.
func completeEvent(p problems, e *cronofy.Event) {
	for _, t := range []*cronofy.EventTime{&e.Start, &e.End} {
		if !t.DateOnly {
			t.TZID = cmp.Or(t.TZID, e.TZID, "Etc/UTC")
		}
	}
	switch {
	case e.Start.DateOnly != e.End.DateOnly:
		p.add("event.end", "errors.invalid", "start and end must both be dates or both be times")
	case !e.End.Time.After(e.Start.Time):
		p.add("event.end", "errors.must_be_after_start", "must be after start")
	}
	if l := e.Location; l != nil && l.Lat == "" && l.Long != "" {
		p.addRequired("event.location.lat")
	} else if l != nil && l.Lat != "" && l.Long == "" {
		p.addRequired("event.location.long")
	}
	maps.DeleteFunc(e.Extra, func(_ string, v json.RawMessage) bool { return string(v) == "null" })
}
