package lint

import (
	"fmt"
	"slices"
	"time"

	"github.com/invitemailer/invitemailer/internal/zone"
)

// The limits of what is read. What goes beyond them is a finding of IM00.
const (
	MaxSize      = 16 << 20 // octets of a message or an iCalendar text
	MaxParts     = 1000     // parts of a message
	MaxDepth     = 32       // multiparts within each other
	MaxFields    = 10000    // header fields of one part
	MaxLines     = 100000   // content lines of a calendar, unfolded
	MaxNesting   = 16       // calendar components within each other
	maxPerRule   = 10       // findings of one rule before the rest is only counted
	maxAddresses = 64 << 10 // octets of an address header
)

// Level says how bad a finding is.
type Level string

// The levels. Error: do not send it; a client or server is known or bound to fail. Warning: some client does worse with it. Off: the
// rule does not apply under that profile.
const (
	Error   Level = "error"
	Warning Level = "warning"
	Off     Level = "off"
)

// Profile chooses how strict the rules are.
type Profile string

// The profiles. The zero value of Options has none and means Own.
const (
	Own Profile = "own" // what this project sends: every rule
	Any Profile = "any" // the mail of others: what breaks clients
)

// Origin says whose mistake a finding is.
type Origin string

// The origins.
const (
	Composed Origin = "composed" // of the mail around the calendar
	Calendar Origin = "calendar" // of the iCalendar text, wherever it came from
)

// Options are what the rules need to know beyond the bytes.
type Options struct {
	// Now is the time of the check. If it is zero, what needs a clock is not checked: DTSTAMP in the future, events that are over.
	Now time.Time
	// Profile is Own if it is empty.
	Profile Profile
	// Previous is the mail or calendar sent before about the same event; nil if none. IM38, IM39 and IM70 need it.
	Previous *Previous
	// SMTPUTF8 says that the mail will be handed over with that extension (RFC 6531), so that local parts may go beyond ASCII.
	SMTPUTF8 bool
	// Zones remembers the time zones between checks. Nil: each is looked up for itself.
	Zones *zone.Zones
}

// Finding is one place where one rule is broken.
type Finding struct {
	Rule   string `json:"rule"`   // such as IM15
	Level  Level  `json:"level"`  // error or warning
	Where  string `json:"where"`  // such as "part 1.3", "line 12 of part 1.3", "header Subject"
	What   string `json:"what"`   // what is wrong, with the offending text, shortened, its controls escaped
	Why    string `json:"why"`    // who fails on it
	Source string `json:"source"` // where it is written
	Fix    string `json:"fix"`    // what to do about it
	Origin Origin `json:"origin"` // composed or calendar
	// Fatal: with this, clients show no invitation at all.
	Fatal bool `json:"fatal,omitempty"`
}

// String is the finding in one line.
func (f Finding) String() string {
	return fmt.Sprintf("%s %s: %s: %s", f.Level, f.Rule, f.Where, f.What)
}

// Check looks at a message or an iCalendar text; which of the two it is, the content tells. The findings come errors first, then by rule.
// None means clean. For a file of several messages see [Messages].
func Check(data []byte, o Options) []Finding {
	if o.Profile != Any {
		o.Profile = Own
	}
	d := read(data)
	d.locations.known = o.Zones
	d.options = o
	var findings []Finding
	r := &report{}
	for i := range table {
		rule := &table[i]
		level := rule.level(o.Profile)
		if level == Off || !rule.applies(d) {
			continue
		}
		*r = report{rule: rule, level: level, own: o.Profile == Own, findings: &findings}
		rule.check(d, r)
		r.close()
	}
	slices.SortStableFunc(findings, func(a, b Finding) int { return rank(a.Level) - rank(b.Level) })
	return findings
}

func rank(l Level) int {
	if l == Error {
		return 0
	}
	return 1
}

// report takes the findings of one rule.
type report struct {
	rule     *Rule
	level    Level
	own      bool
	n        int
	more     Level // the worst level of those that were only counted
	findings *[]Finding
}

// add reports a finding of the rule's own level and origin.
func (r *report) add(where place, format string, args ...any) {
	r.put(r.level, r.rule.Origin, false, where, format, args)
}

// error reports a finding that is an error under either profile.
func (r *report) error(where place, format string, args ...any) {
	r.put(Error, r.rule.Origin, false, where, format, args)
}

// warn reports a finding that is a warning under either profile.
func (r *report) warn(where place, format string, args ...any) {
	r.put(Warning, r.rule.Origin, false, where, format, args)
}

// strict reports an error under Own, a warning under Any.
func (r *report) strict(where place, format string, args ...any) {
	level := Warning
	if r.own {
		level = Error
	}
	r.put(level, r.rule.Origin, false, where, format, args)
}

// fatal reports that there is no invitation to be shown.
func (r *report) fatal(where place, format string, args ...any) {
	r.put(Error, r.rule.Origin, true, where, format, args)
}

func (r *report) put(level Level, origin Origin, fatal bool, where place, format string, args []any) {
	r.n++
	// What makes an invitation invisible is never just counted.
	if r.n > maxPerRule && (!fatal || r.n >= 2*maxPerRule) {
		if r.more != Error {
			r.more = level
		}
		return
	}
	*r.findings = append(*r.findings, Finding{
		Rule: r.rule.ID, Level: level, Where: where.String(), What: fmt.Sprintf(format, args...),
		Why: r.rule.Why, Source: r.rule.Source, Fix: r.rule.Fix, Origin: origin, Fatal: fatal,
	})
}

func (r *report) close() {
	if r.more != "" {
		n, level := r.n-maxPerRule, r.more
		r.n, r.more = 0, ""
		r.put(level, r.rule.Origin, false, whole, "the same in %d more places", []any{n})
	}
}
