package record

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/json"
	"slices"
	"strings"

	"github.com/invitemailer/invitemailer/cronofy"
	"github.com/invitemailer/invitemailer/mailer"
)

// digest is equal for two records that say the same: times count as instants and zones, and neither
// the order of names nor that of recipients counts.
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
	if g.Event != nil {
		e := *g.Event
		for _, t := range []*cronofy.EventTime{&e.Start, &e.End} {
			if t.TZID == e.TZID {
				t.TZID = ""
			}
		}
		if e.Location != nil && *e.Location == (cronofy.Location{}) {
			e.Location = nil
		}
		g.Event = &e
	}
	text, _ := json.Marshal(g)            // all of it was read from text
	text, _ = json.Marshal(decoded(text)) // names in order, within Extra too
	return sha256.Sum256(text)
}

// decoded is a JSON value whose numbers stay as they are written.
func decoded(text []byte) (v any) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	_ = decoder.Decode(&v) // it is JSON
	return v
}
