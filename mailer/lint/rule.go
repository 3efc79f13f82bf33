package lint

import (
	"fmt"
	"slices"
	"strings"

	"github.com/invitemailer/invitemailer/internal/ical"
	"github.com/invitemailer/invitemailer/internal/mimetree"
)

// Rule is one rule and its documentation.
type Rule struct {
	ID    string // IM and two digits; it never changes its meaning
	Title string // what the rule wants
	// Own and Any are the levels under the profiles. A single finding can be above or below, as the
	// text of the rule says.
	Own, Any Level
	Origin   Origin // whose mistake a finding is; single findings may differ
	Why      string // which client or server fails
	Source   string // the RFC and section, or the document or report of a vendor
	Fix      string // what to do

	scope scope
	check func(*document, *report)
}

// scope says what must be there for a rule to have anything to look at.
type scope int

const (
	inMail     scope = 1 << iota // a message
	inCalendar                   // a calendar that could be read
	inEvent                      // one with a VEVENT
	inSeries                     // one with an earlier message
	inRequest                    // METHOD:REQUEST
	inCancel                     // METHOD:CANCEL
)

func (r *Rule) applies(d *document) bool {
	finds := func(s scope, there bool) bool { return r.scope&s == 0 || there }
	return finds(inMail, d.root != nil) &&
		finds(inCalendar, d.cal != nil) &&
		finds(inEvent, d.cal != nil && len(d.cal.events) > 0) &&
		finds(inSeries, d.options.Previous != nil) &&
		finds(inRequest, d.method == "REQUEST") &&
		finds(inCancel, d.method == "CANCEL")
}

// table holds the rules in the order of their numbers.
var table = slices.SortedFunc(slices.Values(slices.Concat(
	treeRules, partRules, calendarRules, textRules, eventRules, timeRules,
	peopleRules, headerRules, sendingRules, contentRules,
)), func(a, b Rule) int { return strings.Compare(a.ID, b.ID) })

// Rules returns all rules in the order of their numbers.
func Rules() []Rule { return slices.Clone(table) }

// Explain returns a rule in full, as text of several lines, and whether there is one of that
// number, in any case.
func Explain(id string) (string, bool) {
	i := slices.IndexFunc(table, func(r Rule) bool { return strings.EqualFold(r.ID, strings.TrimSpace(id)) })
	if i < 0 {
		return "", false
	}
	r, about := table[i], "calendar"
	if r.Origin == Composed {
		about = "mail around the calendar"
	}
	return fmt.Sprintf("%s  %s\n\nLevel:   %s under own, %s under any\nAbout:   the %s\n"+
		"Why:     %s\nSource:  %s\nFix:     %s\n",
		r.ID, r.Title, r.Own, r.Any, about, r.Why, r.Source, r.Fix), true
}

// Markdown returns the table of all rules, from which RULES.md is made.
func Markdown() string {
	var b strings.Builder
	b.WriteString("# The rules for calendar invitations\n\n" +
		"Made from the code by `go generate`; do not edit. `own` is the profile for mail that invitemailer sends, `any` that for the mail of\n" +
		"others. Single findings of a rule can be of a lower or higher level.\n\n" +
		"| rule | own | any | about | wants | because | source | fix |\n|---|---|---|---|---|---|---|---|\n")
	cell := strings.NewReplacer("|", `\|`, "<", "&lt;", ">", "&gt;", "\n", " ")
	for _, r := range table {
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s | %s | %s |\n", r.ID, r.Own, r.Any, r.Origin,
			cell.Replace(r.Title), cell.Replace(r.Why), cell.Replace(r.Source), cell.Replace(r.Fix))
	}
	return b.String()
}

// each makes a check of many things of a document out of one of a single thing.
func each[T any](all func(*document) []T, one func(*document, *report, T)) func(*document, *report) {
	return func(d *document, r *report) {
		for _, t := range all(d) {
			one(d, r, t)
		}
	}
}

func events(d *document) []*ical.Component { return d.cal.events }
func parts(d *document) []*mimetree.Part   { return d.parts }
func invites(d *document) []*mimetree.Part { return d.invites }
func files(d *document) []*mimetree.Part   { return d.files }
