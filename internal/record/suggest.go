package record

import (
	"strings"

	"github.com/invitemailer/invitemailer/internal/spelling"
)

// fields are the names of a record, as the columns of CSV have them; those of
// mail.data are free. JSON has a few more, inside event.
var fields = []string{
	"method", "smart_invite_id", "callback_url",
	"recipient.email", "recipient.name", "recipient.locale", "recipient.tzid",
	"event.summary", "event.description", "event.start", "event.end", "event.tzid",
	"event.location.description", "event.location.lat", "event.location.long",
	"event.url", "event.reminders", "event.transparency", "event.color",
	"organizer.name", "organizer.email",
	"mail.subject", "mail.template", "mail.reply_to", "mail.locale",
}

// suggest returns "; did you mean X?" for the one of the names that a wrong name
// is near to, or for a field elsewhere that has its last name; else "".
func suggest(wrong string, near []string) string {
	key := fold(wrong)
	folded := make([]string, len(near))
	for i, name := range near {
		folded[i] = fold(name)
	}
	best := ""
	if i := spelling.Nearest(key, folded, 1+max(1, min(3, len(key)/3))); i >= 0 {
		best = near[i]
	}
	if best == "" {
		for _, name := range fields {
			if i := strings.LastIndexByte(name, '.'); i >= 0 && fold(name[i+1:]) == key {
				best = name
				break
			}
		}
	}
	if best == "" {
		return ""
	}
	return "; did you mean " + best + "?"
}

// fold makes smartInviteId, smart-invite-id and smart_invite_id equal.
func fold(name string) string {
	return strings.ToLower(strings.NewReplacer("_", "", "-", "", " ", "").Replace(name))
}
