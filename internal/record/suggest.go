package record

import "strings"

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
	best, distance := "", 1+max(1, min(3, len(key)/3))
	for _, name := range near {
		if d := editDistance(key, fold(name), distance); d < distance {
			best, distance = name, d
		}
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

// editDistance counts the letters to insert, delete, replace or swap with their
// neighbour that make a of b; any number from limit on is limit.
func editDistance(a, b string, limit int) int {
	if max(len(a), len(b))-min(len(a), len(b)) >= limit {
		return limit
	}
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return min(last[len(b)], limit)
}
