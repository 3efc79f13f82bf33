package cronofytest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/mail"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
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

// object is a JSON object of a request, with the path to it, and the place where what is wrong
// with it is noted.
type object struct {
	path string
	m    map[string]any
	p    problems
}

func (o object) refuse(key, problem, description string) { o.p.add(o.field(key), problem, description) }

func (o object) require(key string) { o.refuse(key, "errors.required", "required") }

func (o object) field(key string) string {
	if o.path == "" {
		return key
	}
	return o.path + "." + key
}

// only notes every key besides the known ones.
func (o object) only(known ...string) {
	for key := range o.m {
		if !slices.Contains(known, key) {
			o.refuse(key, "errors.unknown", "unknown field")
		}
	}
}

// has tells whether there is a value; null counts as none.
func (o object) has(key string) bool { return o.m[key] != nil }

// value returns the value at key; ok is false if there is none or it has another type, which is
// noted.
func value[T any](o object, key, typeName string) (v T, ok bool) {
	v, ok = o.m[key].(T)
	if !ok && o.has(key) {
		article := "a "
		if strings.ContainsRune("aeiou", rune(typeName[0])) {
			article = "an "
		}
		o.refuse(key, "errors.must_be_"+typeName, "must be "+article+typeName)
	}
	return v, ok
}

// text returns a string, or "" if there is none.
func (o object) text(key string) string {
	v, _ := value[string](o, key, "string")
	return v
}

// requiredText notes a missing or blank string too.
func (o object) requiredText(key string) string {
	v, isText := value[string](o, key, "string")
	if (!o.has(key) || isText) && strings.TrimSpace(v) == "" {
		o.require(key)
	}
	return v
}

// limitText notes a string of more than limit code points.
func (o object) limitText(key, text string, limit int) {
	if utf8.RuneCountInString(text) > limit {
		o.refuse(key, "errors.too_long", fmt.Sprintf("must be at most %d characters", limit))
	}
}

func (o object) boolean(key string) *bool {
	if v, ok := value[bool](o, key, "boolean"); ok {
		return &v
	}
	return nil
}

// object returns the object at key.
func (o object) object(key string) (inner object, ok bool) {
	m, ok := value[map[string]any](o, key, "object")
	return object{path: o.field(key), m: m, p: o.p}, ok
}

// objects returns the elements of the array at key that are objects.
func (o object) objects(key string) []object {
	list, _ := value[[]any](o, key, "array")
	var all []object
	for i := range list {
		name := key + "[" + strconv.Itoa(i) + "]"
		if inner, ok := (object{path: o.path, m: map[string]any{name: list[i]}, p: o.p}).object(name); ok {
			all = append(all, inner)
		} else if list[i] == nil {
			o.refuse(name, "errors.must_be_object", "must be an object")
		}
	}
	return all
}

// email returns the address at key, which must be a plain addr-spec.
func (o object) email(key string) string {
	v := o.text(key)
	if v == "" {
		return ""
	}
	parsed, err := mail.ParseAddress(v)
	if err != nil || parsed.Address != v || strings.ContainsAny(v, " \t\"") {
		o.refuse(key, "errors.invalid_email", "must be an email address")
	}
	return v
}

func (o object) requiredEmail(key string) string {
	if v, _ := o.m[key].(string); v != "" {
		return o.email(key)
	}
	return o.requiredText(key)
}

// url returns the absolute URL at key; callback requires one that can be posted to.
func (o object) url(key string, callback bool) string {
	v := o.text(key)
	if v == "" {
		return ""
	}
	u, err := url.Parse(v)
	ok := err == nil && u.IsAbs()
	if ok && callback {
		ok = u.Host != "" && (u.Scheme == "http" || u.Scheme == "https")
	}
	if !ok {
		o.refuse(key, "errors.invalid_url", "must be an absolute URL")
	}
	return v
}

// coordinate returns a decimal number, which the API takes as a string.
func (o object) coordinate(key string, limit float64) string {
	v := o.text(key)
	if v == "" {
		return ""
	}
	n, err := strconv.ParseFloat(v, 64)
	if err != nil || !(n >= -limit && n <= limit) || strings.Trim(v, "+-.0123456789") != "" {
		o.refuse(key, "errors.invalid", "must be decimal degrees")
	}
	return v
}

// natural returns a whole number from 0 to the largest 32-bit one.
func (o object) natural(key string) int {
	n, ok := value[json.Number](o, key, "integer")
	if !ok {
		if !o.has(key) {
			o.require(key)
		}
		return 0
	}
	v, err := strconv.ParseInt(n.String(), 10, 32)
	if err != nil || v < 0 {
		o.refuse(key, "errors.must_be_integer", "must be an integer, not negative, of 32 bits")
		return 0
	}
	return int(v)
}

const (
	actionRequest = "request"
	actionCancel  = "cancel"
	actionRemove  = "remove"
)

// command is a POST that passed validation.
type command struct {
	action      string
	id          string
	multi       bool
	emails      []string
	callbackURL string
	event       *event
	organizer   Organizer
}

// parse reads the body of a POST and notes everything that is wrong with it.
func (s *Server) parse(body map[string]any) (command, problems) {
	o := object{m: body, p: problems{}}
	o.only("method", "smart_invite_id", "recipient", "recipients", "callback_url", "event", "organizer")
	c := command{action: actionRequest, organizer: s.options.DefaultOrganizer}
	if o.has("method") {
		c.action = o.text("method")
		if !slices.Contains([]string{actionRequest, actionCancel, actionRemove}, c.action) {
			o.refuse("method", "errors.unknown_method", "must be request, cancel or remove")
		}
	}
	c.id = o.requiredText("smart_invite_id")
	c.emails, c.multi = parseRecipients(o)
	if c.multi && c.action == actionRemove {
		o.refuse("recipients", "errors.not_supported", "remove takes one recipient")
	}
	c.callbackURL = o.url("callback_url", true)
	if organizer, ok := o.object("organizer"); ok {
		organizer.only("name", "email")
		if name := organizer.text("name"); strings.TrimSpace(name) != "" {
			c.organizer.Name = name
		}
		if email := organizer.email("email"); email != "" {
			c.organizer.Email = email
		}
	}
	if event, ok := o.object("event"); ok {
		c.event = parseEvent(event)
	} else if !o.has("event") && c.action == actionRequest {
		o.require("event")
	}
	return c, o.p
}

func parseRecipients(o object) (emails []string, multi bool) {
	switch {
	case o.has("recipient") && o.has("recipients"):
		o.refuse("recipients", "errors.exclusive", "give either recipient or recipients")
		return nil, false
	case !o.has("recipients"):
		if r, ok := o.object("recipient"); ok {
			r.only("email")
			return []string{r.requiredEmail("email")}, false
		}
		if !o.has("recipient") {
			o.require("recipient")
		}
		return nil, false
	}
	if list, isList := o.m["recipients"].([]any); isList && len(list) == 0 {
		o.require("recipients")
	}
	seen := make(map[string]bool)
	for _, r := range o.objects("recipients") {
		r.only("email")
		email := r.requiredEmail("email")
		if seen[fold(email)] {
			r.refuse("email", "errors.duplicate", "is in the list twice")
		}
		seen[fold(email)] = true
		emails = append(emails, email)
	}
	return emails, true
}
