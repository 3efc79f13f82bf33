package mailer

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/invitemailer/invitemailer/cronofy"
	"github.com/invitemailer/invitemailer/internal/message"
)

// fingerprintVersion stands first in every fingerprint. A change of the form below is a new version,
// or every invite on record would be mailed again.
const fingerprintVersion = "1"

// fingerprint identifies what an invite asks for: id, recipient, organizer and event, and nothing
// else; a new template or setting is no reason to mail all again. Two spellings of one content have
// one fingerprint: times count as instants and zones, objects without the order of their names.
func fingerprint(id, recipient string, method Method, o message.Mailbox, e *cronofy.Event) string {
	var c canonical
	c.text("id", id)
	c.text("recipient", recipient)
	c.text("method", string(method))
	if method == Request {
		c.text("organizer.Name", o.Name)
		c.text("organizer.email", o.Address.Key())
		c.event(e)
	}
	sum := sha256.Sum256(c.buf)
	return fingerprintVersion + ":" + base64.RawURLEncoding.EncodeToString(sum[:])
}

// canonical builds a text that no two contents share: each field is a name and a value with its
// length before it.
type canonical struct{ buf []byte }

func (c *canonical) text(name, value string) {
	if value == "" {
		return
	}
	c.buf = fmt.Appendf(c.buf, "%s=%d:%s\n", name, len(value), value)
}

func (c *canonical) event(e *cronofy.Event) {
	if e == nil {
		return
	}
	c.text("summary", e.Summary)
	c.text("description", e.Description)
	c.when("start", e.Start, e.TZID)
	c.when("end", e.End, e.TZID)
	if l := e.Location; l != nil {
		c.text("location.description", l.Description)
		c.text("location.lat", l.Lat)
		c.text("location.long", l.Long)
	}
	c.text("url", e.URL)
	for _, r := range e.Reminders {
		c.text("reminder", strconv.Itoa(r.Minutes))
	}
	c.flag("reminders_create_only", e.RemindersCreateOnly)
	c.text("transparency", e.Transparency)
	c.text("color", e.Color)
	c.flag("event_private", e.EventPrivate)
	c.text("locale", e.Locale)
	for _, name := range slices.Sorted(maps.Keys(e.Extra)) {
		c.text("extra."+name, string(sortedJSON(e.Extra[name])))
	}
}

func (c *canonical) when(name string, t cronofy.EventTime, zone string) {
	if t.DateOnly {
		c.text(name+".date", t.Time.Format("2006-01-02"))
		return
	}
	c.text(name, strconv.FormatInt(t.Time.Unix(), 10))
	c.text(name+".tzid", cmp.Or(t.TZID, zone))
}

func (c *canonical) flag(name string, v *bool) {
	if v != nil {
		c.text(name, strconv.FormatBool(*v))
	}
}

// sortedJSON returns the value with the names of its objects sorted and no space between tokens;
// numbers keep their spelling.
func sortedJSON(raw json.RawMessage) []byte {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var v any
	if d.Decode(&v) != nil {
		return raw
	}
	out, err := json.Marshal(v)
	if err != nil {
		return raw
	}
	return out
}
