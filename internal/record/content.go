package record

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/invitemailer/invitemailer/cronofy"
	"github.com/invitemailer/invitemailer/mailer"
)

// digest is equal for two records that say the same: times count as instants and
// zones, and neither the order of names nor that of recipients counts.
func digest(g mailer.Group) [sha256.Size]byte {
	g.Method = cmp.Or(g.Method, mailer.Request)
	g.Recipients = slices.Clone(g.Recipients)
	for i := range g.Recipients {
		r := &g.Recipients[i]
		r.Email, r.Locale = addressKey(r.Email), strings.ToLower(r.Locale)
	}
	slices.SortFunc(g.Recipients, func(a, b mailer.Recipient) int {
		return cmp.Or(cmp.Compare(a.Email, b.Email), cmp.Compare(a.Name, b.Name),
			cmp.Compare(a.Locale, b.Locale), cmp.Compare(a.TZID, b.TZID))
	})
	organizer := mailer.Organizer{}
	if g.Organizer != nil {
		organizer = mailer.Organizer{Name: g.Organizer.Name, Email: strings.ToLower(g.Organizer.Email)}
	}
	g.Organizer = &organizer
	g.Mail.ReplyTo, g.Mail.Locale = strings.ToLower(g.Mail.ReplyTo), strings.ToLower(g.Mail.Locale)
	if len(g.Mail.Data) == 0 {
		g.Mail.Data = nil
	}
	said := struct {
		Group      mailer.Group
		Start, End instant
		Extra      map[string]any
	}{Group: g}
	if g.Event != nil {
		e := *g.Event
		said.Start, said.End = instantOf(e.Start, e.TZID), instantOf(e.End, e.TZID)
		e.Start, e.End = cronofy.EventTime{}, cronofy.EventTime{}
		said.Extra = make(map[string]any)
		for name, value := range maps.All(e.Extra) {
			said.Extra[name] = decoded(value)
		}
		e.Extra = nil
		if e.Location != nil && *e.Location == (cronofy.Location{}) {
			e.Location = nil
		}
		said.Group.Event = &e
	}
	text, _ := json.Marshal(said) // all of it was read from text
	return sha256.Sum256(text)
}

// instant is a time as it is compared with another.
type instant struct {
	Unix     int64
	DateOnly bool
	TZID     string // if it is not the event's
}

func instantOf(t cronofy.EventTime, zone string) instant {
	i := instant{Unix: t.Time.Unix(), DateOnly: t.DateOnly}
	if t.TZID != zone {
		i.TZID = t.TZID
	}
	return i
}

// decoded is a JSON value whose numbers stay as they are written.
func decoded(text json.RawMessage) (v any) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	if decoder.Decode(&v) != nil {
		return string(text)
	}
	return v
}
