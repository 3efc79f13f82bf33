package record

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/invitemailer/invitemailer/internal/safetext"
	"github.com/invitemailer/invitemailer/mailer"
)

// draft is a record as far as it is read.
type draft struct {
	problems
	invite   mailer.Invite // with what both forms have in common
	group    bool          // it came as recipients
	several  []mailer.Recipient
	times    [2]clock // start and end
	zoneAt   int      // where event.tzid stands
	methodAt int
}

// asGroup is the draft with its recipients, or its one.
func (d *draft) asGroup() mailer.Group {
	i := &d.invite
	g := mailer.Group{ID: i.ID, Method: i.Method, Recipients: d.several, Event: i.Event,
		Organizer: i.Organizer, CallbackURL: i.CallbackURL, Mail: i.Mail}
	if !d.group {
		g.Recipients = []mailer.Recipient{i.Recipient}
	}
	return g
}

// method applies the method that the caller wants.
func (d *draft) method(want mailer.Method) {
	switch {
	case want == "":
	case d.invite.Method == "":
		d.invite.Method = want
	case d.invite.Method != want:
		d.add(d.methodAt, "method", "is %q where only %q is wanted; leave it out, or keep this record out of the file",
			short(string(d.invite.Method)), want)
	}
}

// record reads one record in JSON, which begins at a position of its file.
func (r *reader) record(text []byte, begin position) mailer.Item {
	d := draft{}
	d.place = place{position: begin, text: text}
	item := mailer.Item{Tag: Source{File: r.name, Line: begin.line}}
	v, at, problem := parse(text)
	if problem == "" && !v.is(jsontext.KindBeginObject) {
		at, problem = v.at, "the record is "+v.kind()+", not an object; write it in braces"
	}
	if problem != "" {
		item.Err = &mailer.Error{Stage: mailer.StageRead, Code: mailer.CodeInvalid,
			Message: located(problem, d.place.of(at))}
		return item
	}
	if at, field, ok := repeatedName(text); ok {
		d.add(at, short(field), "is given twice; leave one of the two out")
	}
	d.record(v)
	d.method(r.o.Method)
	return r.finish(&d, item)
}

// finish hands a draft over to the search for duplicates.
func (r *reader) finish(d *draft, item mailer.Item) mailer.Item {
	group := d.asGroup()
	if d.group {
		item.Group = &group
	} else {
		item.Invite = &d.invite
	}
	if item.Err = d.err(); item.Err == nil {
		r.index.check(&item, group, d.place.line)
	}
	return item
}

// field is a name that an object may have, and how its value is read.
type field struct {
	name string
	read func(member)
}

// object reads an object that has no other names than those, and reports whether it
// is one; todo says what to write in place of anything else.
func (d *draft) object(v value, todo string, known ...field) bool {
	if !d.isObject(v, todo) {
		return false
	}
	d.members(v, known, func(m member) { d.unknown(m, known) })
	return true
}

func (d *draft) isObject(v value, todo string) bool {
	is := v.is(jsontext.KindBeginObject)
	if !is {
		d.add(v.at, v.path, "is %s, not an object; %s", v.kind(), todo)
	}
	return is
}

// members reads the members of an object, and passes those whose names are not known to other.
func (d *draft) members(v value, known []field, other func(member)) {
	for m := range v.members() {
		if !d.read(known, m) {
			other(m)
		}
	}
}

// read reads a member if its name is known. One that is null counts as absent.
func (d *draft) read(known []field, m member) (isKnown bool) {
	i := slices.IndexFunc(known, func(f field) bool { return f.name == m.name })
	if i >= 0 && !m.is(jsontext.KindNull) {
		known[i].read(m)
	}
	return i >= 0
}

func (d *draft) unknown(m member, known []field) {
	if d.isFull() {
		d.more++
		return
	}
	prefix := strings.TrimSuffix(m.path, m.name)
	near := make([]string, len(known))
	for i, f := range known {
		near[i] = prefix + f.name
	}
	d.add(m.nameAt, prefix+short(m.name), "is not a known name%s", suggest(m.path, near))
}

// text reads a string.
func (d *draft) text(into *string) func(member) {
	return func(m member) {
		switch {
		case m.is(jsontext.KindString):
			*into = m.str()
		case m.is(jsontext.KindNumber):
			d.add(m.at, m.path, "is a number, not a string; put it in double quotes")
		default:
			d.add(m.at, m.path, "is %s, not a string; give a text in double quotes", m.kind())
		}
	}
}

// fields are the texts of a record itself.
func (d *draft) fields() []field {
	i := &d.invite
	return []field{
		{"method", func(m member) { d.methodAt = m.at; d.text((*string)(&i.Method))(m) }},
		{"smart_invite_id", d.text(&i.ID)},
		{"callback_url", d.text(&i.CallbackURL)},
	}
}

func (d *draft) record(v value) {
	single, many := -1, -1
	i := &d.invite
	d.object(v, "write it in braces", append(d.fields(),
		field{"recipient", func(m member) { single = m.nameAt; d.recipient(m.value, &i.Recipient) }},
		field{"recipients", func(m member) { many = m.nameAt; d.recipients(m.value) }},
		field{"event", func(m member) { d.event(m.value) }},
		field{"organizer", func(m member) { d.organizer(m.value) }},
		field{"mail", func(m member) { d.mail(m.value) }},
	)...)
	if single >= 0 && many >= 0 {
		d.add(max(single, many), "recipients", "stands beside recipient; give one of the two")
	}
	d.group = many >= 0 && single < 0
	d.resolve()
}

func (d *draft) recipients(v value) {
	if !v.is(jsontext.KindBeginArray) {
		d.add(v.at, v.path, `is %s, not an array; give a list such as [{"email": "name@example.com"}]`, v.kind())
		return
	}
	d.several = []mailer.Recipient{}
	for e := range v.elements() {
		var r mailer.Recipient
		if e.is(jsontext.KindNull) {
			d.add(e.at, e.path, `is null; name a recipient, such as {"email": "name@example.com"}`)
		} else {
			d.recipient(e, &r)
		}
		d.several = append(d.several, r)
	}
}

func (d *draft) recipient(v value, into *mailer.Recipient) {
	todo := `write it as {"email": "name@example.com"}`
	if v.is(jsontext.KindBeginArray) {
		todo = "for several people use recipients"
	}
	d.object(v, todo, d.recipientFields(into)...)
}

func (d *draft) recipientFields(into *mailer.Recipient) []field {
	return []field{
		{"email", d.text(&into.Email)},
		{"name", d.text(&into.Name)},
		{"locale", d.text(&into.Locale)},
		{"tzid", d.text(&into.TZID)},
	}
}

func (d *draft) organizer(v value) {
	o := &mailer.Organizer{}
	if d.object(v, `write it as {"name": "…", "email": "name@example.com"}`, d.organizerFields(o)...) {
		d.invite.Organizer = o
	}
}

func (d *draft) organizerFields(into *mailer.Organizer) []field {
	return []field{{"name", d.text(&into.Name)}, {"email", d.text(&into.Email)}}
}

func (d *draft) mail(v value) { d.object(v, `write it as {"subject": "…"}`, d.mailFields()...) }

func (d *draft) mailFields() []field {
	mail := &d.invite.Mail
	return []field{
		{"subject", d.text(&mail.Subject)},
		{"template", d.text(&mail.Template)},
		{"data", func(m member) { d.data(m.value) }},
		{"reply_to", d.text(&mail.ReplyTo)},
		{"locale", d.text(&mail.Locale)},
	}
}

// data reads what a template is given. Whole numbers come out as int64, so that
// a template prints and compares them as they stand.
func (d *draft) data(v value) {
	if !d.isObject(v, `write it as {"name": "value"}`) {
		return
	}
	decoder := json.NewDecoder(bytes.NewReader(v.text))
	decoder.UseNumber()
	var data map[string]any
	if err := decoder.Decode(&data); err != nil {
		d.add(v.at, v.path, "cannot be read: %v", err)
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

// short keeps a text that came from outside small enough for a message.
func short(s string) string {
	const longest = 60 // octets
	return safetext.Ellipsis(s, longest)
}
