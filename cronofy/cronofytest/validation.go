package cronofytest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/mail"
	"slices"
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

func (p problems) required(field string) { p.add(field, "errors.required", "required") }

func (p problems) answer() answer {
	return jsonAnswer(http.StatusUnprocessableEntity, map[string]problems{"errors": p})
}

// object is a JSON object of a request, with the path to it, and the place where what is wrong with it is noted.
type object struct {
	path string
	m    map[string]any
	p    problems
}

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
			o.p.add(o.field(key), "errors.unknown", "unknown field")
		}
	}
}

// has tells whether there is a value; null counts as none.
func (o object) has(key string) bool { return o.m[key] != nil }

// text returns a string, or "" if there is none or it is something else, which is noted.
func (o object) text(key string) string {
	v, ok := o.m[key].(string)
	if !ok && o.has(key) {
		o.p.add(o.field(key), "errors.must_be_string", "must be a string")
	}
	return v
}

// requiredText notes a missing or blank string too.
func (o object) requiredText(key string) string {
	v := o.text(key)
	if _, isText := o.m[key].(string); (!o.has(key) || isText) && strings.TrimSpace(v) == "" {
		o.p.required(o.field(key))
	}
	return v
}

// limitedText notes a string of more than limit code points.
func (o object) limitedText(key, text string, limit int) {
	if utf8.RuneCountInString(text) > limit {
		o.p.add(o.field(key), "errors.too_long", fmt.Sprintf("must be at most %d characters", limit))
	}
}

func (o object) boolean(key string) *bool {
	v, ok := o.m[key].(bool)
	if !ok {
		if o.has(key) {
			o.p.add(o.field(key), "errors.must_be_boolean", "must be a boolean")
		}
		return nil
	}
	return &v
}

// object returns the object at key; ok is false if there is none or it is something else, which is noted.
func (o object) object(key string) (inner object, ok bool) {
	m, ok := o.m[key].(map[string]any)
	if !ok && o.has(key) {
		o.p.add(o.field(key), "errors.must_be_object", "must be an object")
	}
	return object{path: o.field(key), m: m, p: o.p}, ok
}

// list returns the elements of the array at key.
func (o object) list(key string) []any {
	v, ok := o.m[key].([]any)
	if !ok && o.has(key) {
		o.p.add(o.field(key), "errors.must_be_array", "must be an array")
	}
	return v
}

// email returns the address at key, which must be a plain addr-spec.
func (o object) email(key string) string {
	v := o.text(key)
	if v == "" {
		return ""
	}
	if parsed, err := mail.ParseAddress(v); err != nil || parsed.Address != v || strings.ContainsAny(v, " \t\"") {
		o.p.add(o.field(key), "errors.invalid_email", "must be an email address")
	}
	return v
}

func (o object) requiredEmail(key string) string {
	if v := o.text(key); o.has(key) && v != "" {
		return o.email(key)
	}
	return o.requiredText(key)
}

// natural returns a whole number from 0 to the largest 32-bit one.
func (o object) natural(key string) int32 {
	n, ok := o.m[key].(json.Number)
	if !ok {
		if o.has(key) {
			o.p.add(o.field(key), "errors.must_be_integer", "must be an integer")
		} else {
			o.p.required(o.field(key))
		}
		return 0
	}
	v, err := n.Int64()
	if err != nil || v < 0 || v > 1<<31-1 {
		o.p.add(o.field(key), "errors.must_be_integer", "must be an integer, not negative, of 32 bits")
		return 0
	}
	return int32(v)
}
