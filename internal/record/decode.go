package record

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/invitemailer/invitemailer/cronofy"
	"github.com/invitemailer/invitemailer/internal/safetext"
	"github.com/invitemailer/invitemailer/internal/zone"
	"github.com/invitemailer/invitemailer/mailer"
)

// draft is a record as far as it is read.
type draft struct {
	problems
	zones    *zone.Zones
	invite   mailer.Invite // with what both forms have in common
	group    bool          // it came as recipients
	several  []mailer.Recipient
	times    [2]clock // start and end
	zoneAt   int      // where event.tzid stands
	methodAt int
}

func (d *draft) item() mailer.Item {
	if !d.group {
		return mailer.Item{Invite: &d.invite}
	}
	i := &d.invite
	return mailer.Item{Group: &mailer.Group{ID: i.ID, Method: i.Method, Recipients: d.several, Event: i.Event,
		Organizer: i.Organizer, CallbackURL: i.CallbackURL, Mail: i.Mail}}
}

// method applies the method that the caller wants.
func (d *draft) method(want mailer.Method) {
	switch {
	case want == "":
	case d.invite.Method == "":
		d.invite.Method = want
	case d.invite.Method != want:
		d.add(d.methodAt, "method", "is %q where only %q is wanted; leave it out, or keep this record out of the file", short(string(d.invite.Method)), want)
	}
}

// record reads one record in JSON.
func (r *reader) record(text []byte, line, column int) mailer.Item {
	d := draft{zones: r.zones}
	d.place = place{text: string(text), line: line, column: column}
	item := mailer.Item{Tag: Source{File: r.name, Line: line}}
	if at, message := syntaxProblem(text); message != "" {
		item.Err = syntaxError(d.place, at, message)
		return item
	}
	if at := loneSurrogate(text); at >= 0 {
		item.Err = syntaxError(d.place, at, fmt.Sprintf("%s is half a character; write the other half beside it, or the character itself", text[at:at+len(`\ud800`)]))
		return item
	}
	v := whole(d.place.text)
	if !v.isObject() {
		item.Err = syntaxError(d.place, v.at, "the record is "+v.kind()+", not an object; write it in braces")
		return item
	}
	d.object(v)
	d.method(r.o.Method)
	return r.finish(&d, item)
}

// finish hands a draft over to the search for duplicates.
func (r *reader) finish(d *draft, item mailer.Item) mailer.Item {
	read := d.item()
	item.Invite, item.Group = read.Invite, read.Group
	if item.Err = d.err(); item.Err == nil {
		r.index.check(&item, d.place.line)
	}
	return item
}

func syntaxError(p place, at int, message string) *mailer.Error {
	return &mailer.Error{Stage: mailer.StageRead, Code: mailer.CodeInvalid, Message: located(message, p.of(at))}
}

// syntaxProblem says why and where a text is not JSON; "" if it is.
func syntaxProblem(text []byte) (at int, message string) {
	if json.Valid(text) && utf8.Valid(text) {
		return 0, ""
	}
	if at := bytes.IndexByte(text, 0); at >= 0 {
		return at, "a NUL octet is no text; give a text file in UTF-8"
	}
	for at := 0; at < len(text); {
		c, size := utf8.DecodeRune(text[at:])
		if c == utf8.RuneError && size == 1 {
			return at, fmt.Sprintf("the octet 0x%02x is not UTF-8; save the file as UTF-8", text[at])
		}
		at += size
	}
	var any json.RawMessage
	err := json.Unmarshal(text, &any)
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		at = max(0, int(syntax.Offset)-1)
		if strings.HasPrefix(syntax.Error(), "unexpected end") {
			at = len(bytes.TrimRight(text, " \t\r\n"))
		}
	}
	return at, fmt.Sprintf("this is not JSON: %v; mend it", err)
}

func (d *draft) object(v value) {
	single, many := -1, -1
	for m := v.members(); m.next(); {
		d.once(&m, "")
		switch m.name {
		case "method":
			d.methodAt = m.value.at
			d.text(&m, "", (*string)(&d.invite.Method))
		case "smart_invite_id":
			d.text(&m, "", &d.invite.ID)
		case "callback_url":
			d.text(&m, "", &d.invite.CallbackURL)
		case "recipient":
			if !m.value.isNull() {
				single = m.key.at
				d.recipient(m.value, "recipient", &d.invite.Recipient)
			}
		case "recipients":
			if !m.value.isNull() {
				many = m.key.at
				d.recipients(m.value)
			}
		case "event":
			d.event(m.value)
		case "organizer":
			d.organizer(m.value)
		case "mail":
			d.mail(m.value)
		default:
			d.unknown(&m, "", "method", "smart_invite_id", "callback_url", "recipient", "recipients", "event", "organizer", "mail")
		}
	}
	if single >= 0 && many >= 0 {
		d.add(max(single, many), "recipients", "stands beside recipient; give one of the two")
	}
	d.group = many >= 0 && single < 0
	d.resolve()
}

// once refuses a name that stands twice in one object.
func (d *draft) once(m *members, prefix string) {
	if m.again {
		d.add(m.key.at, prefix+short(m.name), "is given twice; leave one of the two out")
	}
}

func (d *draft) unknown(m *members, prefix string, known ...string) {
	if d.isFull() {
		d.more++
		return
	}
	near := make([]string, len(known))
	for i, name := range known {
		near[i] = prefix + name
	}
	d.add(m.key.at, prefix+short(m.name), "is not a known name%s", suggest(prefix+m.name, near))
}

// text reads a string.
func (d *draft) text(m *members, prefix string, into *string) {
	switch {
	case m.value.isNull():
	case m.value.isString():
		*into = m.value.str()
	case m.value.isNumber():
		d.add(m.value.at, prefix+m.name, "is a number, not a string; put it in double quotes")
	default:
		d.add(m.value.at, prefix+m.name, "is %s, not a string; give a text in double quotes", m.value.kind())
	}
}

// isObject reports whether a value is an object, and says so if it should be.
func (d *draft) isObject(v value, field, todo string) bool {
	if !v.isObject() && !v.isNull() {
		d.add(v.at, field, "is %s, not an object; %s", v.kind(), todo)
	}
	return v.isObject()
}

func (d *draft) recipients(v value) {
	if !v.isArray() {
		d.add(v.at, "recipients", `is %s, not an array; give a list such as [{"email": "name@example.com"}]`, v.kind())
		return
	}
	d.several = []mailer.Recipient{}
	for e := v.elements(); e.next(); {
		field := "recipients[" + strconv.Itoa(len(d.several)) + "]"
		if e.value.isNull() {
			d.add(e.value.at, field, `is null; name a recipient, such as {"email": "name@example.com"}`)
		}
		d.several = append(d.several, mailer.Recipient{})
		d.recipient(e.value, field, &d.several[len(d.several)-1])
	}
}

func (d *draft) recipient(v value, field string, into *mailer.Recipient) {
	todo := `write it as {"email": "name@example.com"}`
	if v.isArray() {
		todo = "for several people use recipients"
	}
	if !d.isObject(v, field, todo) {
		return
	}
	prefix := field + "."
	for m := v.members(); m.next(); {
		d.once(&m, prefix)
		switch m.name {
		case "email":
			d.text(&m, prefix, &into.Email)
		case "name":
			d.text(&m, prefix, &into.Name)
		case "locale":
			d.text(&m, prefix, &into.Locale)
		case "tzid":
			d.text(&m, prefix, &into.TZID)
		default:
			d.unknown(&m, prefix, "email", "name", "locale", "tzid")
		}
	}
}

func (d *draft) organizer(v value) {
	if !d.isObject(v, "organizer", `write it as {"name": "…", "email": "name@example.com"}`) {
		return
	}
	d.invite.Organizer = &mailer.Organizer{}
	for m := v.members(); m.next(); {
		d.once(&m, "organizer.")
		switch m.name {
		case "name":
			d.text(&m, "organizer.", &d.invite.Organizer.Name)
		case "email":
			d.text(&m, "organizer.", &d.invite.Organizer.Email)
		default:
			d.unknown(&m, "organizer.", "name", "email")
		}
	}
}

func (d *draft) mail(v value) {
	if !d.isObject(v, "mail", `write it as {"subject": "…"}`) {
		return
	}
	mail := &d.invite.Mail
	for m := v.members(); m.next(); {
		d.once(&m, "mail.")
		switch m.name {
		case "subject":
			d.text(&m, "mail.", &mail.Subject)
		case "template":
			d.text(&m, "mail.", &mail.Template)
		case "reply_to":
			d.text(&m, "mail.", &mail.ReplyTo)
		case "locale":
			d.text(&m, "mail.", &mail.Locale)
		case "data":
			d.data(m.value)
		default:
			d.unknown(&m, "mail.", "subject", "template", "data", "reply_to", "locale")
		}
	}
}

// data reads what a template is given. Whole numbers come out as int64, so that
// a template prints and compares them as they stand.
func (d *draft) data(v value) {
	if !d.isObject(v, "mail.data", `write it as {"name": "value"}`) {
		return
	}
	d.noneTwice(v, "mail.data")
	decoder := json.NewDecoder(strings.NewReader(v.text))
	decoder.UseNumber()
	var data map[string]any
	if err := decoder.Decode(&data); err != nil {
		d.add(v.at, "mail.data", "cannot be read: %v", err)
		return
	}
	d.invite.Mail.Data = withNumbers(data).(map[string]any)
}

func withNumbers(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for name, inner := range v {
			v[name] = withNumbers(inner)
		}
	case []any:
		for i, inner := range v {
			v[i] = withNumbers(inner)
		}
	case json.Number:
		if n, err := v.Int64(); err == nil {
			return n
		}
		if n, err := v.Float64(); err == nil {
			return n
		}
		return v.String()
	}
	return v
}

// noneTwice refuses names that stand twice at any depth of a free value.
func (d *draft) noneTwice(v value, field string) {
	eachRepeated(v.text, 0, func(name string, at int) {
		d.add(v.at+at, field, "has %q twice in one object; leave one of the two out", short(name))
	})
}

// short keeps a text that came from outside small enough for a message.
func short(s string) string {
	const longest = 60 // octets
	return safetext.Ellipsis(s, longest)
}

// event reads an event. A name that is not known goes to Extra, as it stands.
func (d *draft) event(v value) {
	if !d.isObject(v, "event", "write its summary, start and end in braces") {
		return
	}
	e := &cronofy.Event{}
	d.invite.Event = e
	for m := v.members(); m.next(); {
		d.once(&m, "event.")
		switch m.name {
		case "summary":
			d.text(&m, "event.", &e.Summary)
		case "description":
			d.text(&m, "event.", &e.Description)
		case "start":
			d.times[0] = d.clock(m.value, "event.start")
		case "end":
			d.times[1] = d.clock(m.value, "event.end")
		case "tzid":
			d.zoneAt = m.value.at
			d.text(&m, "event.", &e.TZID)
		case "location":
			d.location(m.value)
		case "url":
			d.text(&m, "event.", &e.URL)
		case "reminders":
			d.reminders(m.value)
		case "reminders_create_only":
			e.RemindersCreateOnly = d.flag(&m)
		case "transparency":
			d.text(&m, "event.", &e.Transparency)
		case "color":
			d.text(&m, "event.", &e.Color)
		case "event_private":
			e.EventPrivate = d.flag(&m)
		case "locale":
			d.text(&m, "event.", &e.Locale)
		default:
			d.noneTwice(m.value, "event."+short(m.name))
			if e.Extra == nil {
				e.Extra = make(map[string]json.RawMessage)
			}
			e.Extra[m.name] = json.RawMessage(m.value.text)
		}
	}
}

func (d *draft) flag(m *members) *bool {
	switch m.value.text {
	case "null":
		return nil
	case "true", "false":
		b := m.value.text == "true"
		return &b
	}
	d.add(m.value.at, "event."+m.name, "is %s; give true or false, without quotes", m.value.kind())
	return nil
}

func (d *draft) location(v value) {
	if !d.isObject(v, "event.location", `write it as {"description": "Board room"}`) {
		return
	}
	l := &cronofy.Location{}
	d.invite.Event.Location = l
	for m := v.members(); m.next(); {
		d.once(&m, "event.location.")
		switch m.name {
		case "description":
			d.text(&m, "event.location.", &l.Description)
		case "lat":
			d.coordinate(&m, &l.Lat)
		case "long":
			d.coordinate(&m, &l.Long)
		default:
			d.unknown(&m, "event.location.", "description", "lat", "long")
		}
	}
}

// coordinate reads degrees, which the API writes as strings and people as
// numbers.
func (d *draft) coordinate(m *members, into *string) {
	if m.value.isNumber() {
		*into = m.value.text
		return
	}
	d.text(m, "event.location.", into)
}

func (d *draft) reminders(v value) {
	const todo = `give a list such as [{"minutes": 30}]`
	if v.isNull() {
		return
	}
	if !v.isArray() {
		d.add(v.at, "event.reminders", "is %s, not an array; %s", v.kind(), todo)
		return
	}
	list := []cronofy.Reminder{}
	for e := v.elements(); e.next(); {
		prefix := "event.reminders[" + strconv.Itoa(len(list)) + "]"
		list = append(list, cronofy.Reminder{})
		if !e.value.isObject() {
			d.add(e.value.at, prefix, "is %s, not an object; %s", e.value.kind(), todo)
			continue
		}
		d.reminder(e.value, prefix+".", &list[len(list)-1])
	}
	d.invite.Event.Reminders = list
}

func (d *draft) reminder(v value, prefix string, into *cronofy.Reminder) {
	given := false
	for m := v.members(); m.next(); {
		d.once(&m, prefix)
		if m.name != "minutes" {
			d.unknown(&m, prefix, "minutes")
			continue
		}
		n, err := strconv.Atoi(m.value.text)
		if err != nil {
			d.add(m.value.at, prefix+"minutes", "is not a whole number; give the minutes before the start, without quotes")
		}
		into.Minutes, given = n, true
	}
	if !given {
		d.add(v.at, prefix+"minutes", "is missing; give the minutes before the start")
	}
}
