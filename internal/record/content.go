package record

import (
	"encoding/binary"
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/invitemailer/invitemailer/cronofy"
	"github.com/invitemailer/invitemailer/mailer"
)

// canonical writes down what a record says, so that two records are equal if
// they say the same: times count as instants and zones, and neither the order
// of names nor that of recipients counts.
type canonical struct{ buf []byte }

func (c *canonical) group(g *mailer.Group) {
	c.buf = c.buf[:0]
	c.common(g.ID, g.Method, g.Event, g.Organizer, g.CallbackURL, &g.Mail)
	c.recipients(g.Recipients)
}

// invite writes an invite; the key of its recipient's address is known.
func (c *canonical) invite(i *mailer.Invite, key string) {
	c.buf = c.buf[:0]
	c.common(i.ID, i.Method, i.Event, i.Organizer, i.CallbackURL, &i.Mail)
	c.recipient(i.Recipient, key)
}

func (c *canonical) common(id string, method mailer.Method, e *cronofy.Event, o *mailer.Organizer, callback string, mail *mailer.MailOptions) {
	if method == "" {
		method = mailer.Request
	}
	c.text(id)
	c.text(string(method))
	c.text(callback)
	if o == nil {
		o = &mailer.Organizer{}
	}
	c.text(o.Name)
	c.text(strings.ToLower(o.Email))
	c.text(mail.Subject)
	c.text(mail.Template)
	c.text(strings.ToLower(mail.ReplyTo))
	c.text(strings.ToLower(mail.Locale))
	var data []byte
	if len(mail.Data) > 0 {
		data, _ = json.Marshal(mail.Data) // it was read from text, and its names are sorted
	}
	c.text(string(data))
	c.flag(e != nil)
	if e != nil {
		c.event(e)
	}
}

func (c *canonical) recipients(all []mailer.Recipient) {
	begin := len(c.buf)
	each := make([]string, len(all))
	for i, r := range all {
		c.recipient(r, addressKey(r.Email))
		each[i] = string(c.buf[begin:])
		c.buf = c.buf[:begin]
	}
	slices.Sort(each)
	for _, text := range each {
		c.text(text)
	}
}

func (c *canonical) recipient(r mailer.Recipient, key string) {
	c.text(key)
	c.text(r.Name)
	c.text(strings.ToLower(r.Locale))
	c.text(r.TZID)
}

func (c *canonical) event(e *cronofy.Event) {
	c.text(e.Summary)
	c.text(e.Description)
	c.when(e.Start, e.TZID)
	c.when(e.End, e.TZID)
	c.text(e.TZID)
	l := e.Location
	if l == nil {
		l = &cronofy.Location{}
	}
	c.text(l.Description)
	c.text(l.Lat)
	c.text(l.Long)
	c.text(e.URL)
	c.flag(e.Reminders != nil)
	c.number(int64(len(e.Reminders)))
	for _, r := range e.Reminders {
		c.number(int64(r.Minutes))
	}
	c.maybe(e.RemindersCreateOnly)
	c.maybe(e.EventPrivate)
	c.text(e.Transparency)
	c.text(e.Color)
	c.text(e.Locale)
	for _, name := range slices.Sorted(maps.Keys(e.Extra)) {
		c.text(name)
		c.text(sorted(e.Extra[name]))
	}
}

// when writes an instant, and the zone if it is not the event's.
func (c *canonical) when(t cronofy.EventTime, zone string) {
	c.flag(t.DateOnly)
	c.number(t.Time.Unix())
	if t.TZID != zone {
		c.text(t.TZID)
	} else {
		c.text("")
	}
}

func (c *canonical) text(s string) {
	c.number(int64(len(s)))
	c.buf = append(c.buf, s...)
}

func (c *canonical) number(n int64) { c.buf = binary.AppendVarint(c.buf, n) }

func (c *canonical) flag(b bool) {
	if b {
		c.buf = append(c.buf, 1)
	} else {
		c.buf = append(c.buf, 0)
	}
}

func (c *canonical) maybe(b *bool) {
	c.flag(b != nil)
	c.flag(b != nil && *b)
}

// sorted is a JSON text with the names of its objects in order.
func sorted(text json.RawMessage) string {
	decoder := json.NewDecoder(strings.NewReader(string(text)))
	decoder.UseNumber()
	var v any
	if decoder.Decode(&v) != nil {
		return string(text)
	}
	out, err := json.Marshal(v)
	if err != nil {
		return string(text)
	}
	return string(out)
}
