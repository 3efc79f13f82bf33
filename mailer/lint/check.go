package lint

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"
)

// MaxSize is the most that is read of a message or an iCalendar text, in octets.
const MaxSize = 16 << 20

// The other limits of what is read. What goes beyond one is a finding of IM00.
const (
	maxParts     = 1000     // parts of a message
	maxDepth     = 32       // multiparts within each other
	maxFields    = 10000    // header fields of one part
	maxLines     = 100000   // content lines of a calendar, unfolded
	maxNesting   = 16       // calendar components within each other
	maxPerRule   = 10       // findings of one rule before the rest is only counted
	maxAddresses = 64 << 10 // octets of an address header
)

// Level says how bad a finding is.
type Level string

// The levels. Error: do not send it; a client or server is known or bound to fail. Warning: some
// client does worse with it. Off: the rule does not apply under that profile.
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
	// Now is the time of the check. If it is zero, what needs a clock is not checked: DTSTAMP in
	// the future, events that are over.
	Now time.Time
	// Profile is Own if it is empty.
	Profile Profile
	// Previous is the mail or calendar sent before about the same event; nil if none. IM38, IM39
	// and IM70 need it.
	Previous *Previous
	// SMTPUTF8 says that the mail will be handed over with that extension (RFC 6531), so that local
	// parts may go beyond ASCII.
	SMTPUTF8 bool
}

// Previous is the mail or calendar that was sent before about the same event.
type Previous struct{ *document }

// ReadPrevious reads the earlier message or iCalendar text. What is wrong with it is not looked
// for; it is an error if there is no event in it.
func ReadPrevious(data []byte) (*Previous, error) {
	d := read(data)
	if len(d.limits) > 0 {
		return nil, fmt.Errorf("reading the earlier message: %s", d.limits[0].what)
	}
	if d.cal == nil || d.cal.main() == nil {
		return nil, errors.New("reading the earlier message: there is no event in it; give the mail or the calendar that was sent before")
	}
	return &Previous{d}, nil
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

// Check looks at a message or an iCalendar text; which of the two it is, the content tells. The
// findings come errors first, then by rule. None means clean. For a file of several messages see
// [Messages].
func Check(data []byte, o Options) []Finding {
	if o.Profile != Any {
		o.Profile = Own
	}
	d := read(data)
	d.options = o
	var findings []Finding
	for i := range table {
		rule := &table[i]
		level := rule.Own
		if o.Profile == Any {
			level = rule.Any
		}
		if level != Off && rule.applies(d) {
			r := &report{rule: rule, level: level, own: o.Profile == Own}
			rule.check(d, r)
			findings = append(findings, r.close()...)
		}
	}
	slices.SortStableFunc(findings, func(a, b Finding) int { return cmp.Compare(a.Level, b.Level) }) // error, warning
	return findings
}

// report takes the findings of one rule.
type report struct {
	rule     *Rule
	level    Level
	own      bool
	findings []Finding
	n        int   // of findings, with those that are only counted
	counted  Level // the worst level of the latter
}

// add reports a finding of the rule's own level.
func (r *report) add(where place, format string, args ...any) {
	r.put(Finding{Level: r.level}, where, format, args...)
}

// error reports a finding that is an error under either profile.
func (r *report) error(where place, format string, args ...any) {
	r.put(Finding{Level: Error}, where, format, args...)
}

// warn reports a finding that is a warning under either profile.
func (r *report) warn(where place, format string, args ...any) {
	r.put(Finding{Level: Warning}, where, format, args...)
}

// strict reports an error under Own, a warning under Any.
func (r *report) strict(where place, format string, args ...any) {
	if r.own {
		r.error(where, format, args...)
	} else {
		r.warn(where, format, args...)
	}
}

// fatal reports that there is no invitation to be shown.
func (r *report) fatal(where place, format string, args ...any) {
	r.put(Finding{Level: Error, Fatal: true}, where, format, args...)
}

// put completes a finding and keeps it, or only counts it where there are enough.
func (r *report) put(f Finding, where place, format string, args ...any) {
	r.n++
	// What makes an invitation invisible is never just counted.
	if r.n > maxPerRule && (!f.Fatal || r.n >= 2*maxPerRule) {
		if r.counted != Error {
			r.counted = f.Level
		}
		return
	}
	f.Rule, f.Why, f.Source, f.Fix = r.rule.ID, r.rule.Why, r.rule.Source, r.rule.Fix
	f.Origin = cmp.Or(f.Origin, r.rule.Origin)
	f.Where, f.What = where.String(), fmt.Sprintf(format, args...)
	r.findings = append(r.findings, f)
}

// close returns the findings, with one more for those that were only counted.
func (r *report) close() []Finding {
	if r.counted != "" {
		n := r.n - maxPerRule
		r.n = 0
		r.put(Finding{Level: r.counted}, whole, "the same in %d more places", n)
	}
	return r.findings
}
