package cronofytest

import (
	"net/url"
	"strconv"
	"strings"
)

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
		switch c.action {
		case actionRequest, actionCancel, actionRemove:
		default:
			o.p.add("method", "errors.unknown_method", "must be request, cancel or remove")
		}
	}
	c.id = o.requiredText("smart_invite_id")
	c.emails, c.multi = parseRecipients(o)
	if c.multi && c.action == actionRemove {
		o.p.add("recipients", "errors.not_supported", "remove takes one recipient")
	}
	c.callbackURL = parseURL(o, "callback_url", "http", "https")
	if org, ok := o.object("organizer"); ok {
		org.only("name", "email")
		if name := org.text("name"); strings.TrimSpace(name) != "" {
			c.organizer.Name = name
		}
		if email := org.email("email"); email != "" {
			c.organizer.Email = email
		}
	}
	switch ev, ok := o.object("event"); {
	case ok:
		c.event = s.parseEvent(ev)
	case !o.has("event") && c.action == actionRequest:
		o.p.required("event")
	}
	return c, o.p
}

func parseRecipients(o object) (emails []string, multi bool) {
	if o.has("recipient") && o.has("recipients") {
		o.p.add("recipients", "errors.exclusive", "give either recipient or recipients")
		return nil, false
	}
	if !o.has("recipients") {
		if !o.has("recipient") {
			o.p.required("recipient")
		}
		if r, ok := o.object("recipient"); ok {
			r.only("email")
			emails = append(emails, r.requiredEmail("email"))
		}
		return emails, false
	}
	list := o.list("recipients")
	if _, isList := o.m["recipients"].([]any); isList && len(list) == 0 {
		o.p.required("recipients")
	}
	seen := make(map[string]bool, len(list))
	for i, v := range list {
		path := "recipients[" + strconv.Itoa(i) + "]"
		m, ok := v.(map[string]any)
		if !ok {
			o.p.add(path, "errors.must_be_object", "must be an object")
			continue
		}
		r := object{path: path, m: m, p: o.p}
		r.only("email")
		email := r.requiredEmail("email")
		if seen[fold(email)] {
			o.p.add(r.field("email"), "errors.duplicate", "is in the list twice")
		}
		seen[fold(email)] = true
		emails = append(emails, email)
	}
	return emails, true
}

// fold is the form in which addresses are compared.
func fold(email string) string { return strings.ToLower(email) }

// parseURL returns the absolute URL at key, of one of the schemes if any are given.
func parseURL(o object, key string, schemes ...string) string {
	v := o.text(key)
	if v == "" {
		return ""
	}
	u, err := url.Parse(v)
	ok := err == nil && u.IsAbs()
	if len(schemes) > 0 {
		ok = ok && u.Host != ""
		known := false
		for _, s := range schemes {
			known = known || ok && u.Scheme == s
		}
		ok = known
	}
	if !ok {
		o.p.add(o.field(key), "errors.invalid_url", "must be an absolute URL")
	}
	return v
}
