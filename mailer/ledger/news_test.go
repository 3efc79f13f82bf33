package ledger

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

var start = time.Date(2027, 4, 1, 9, 0, 0, 0, time.UTC)

// event is one thing that happens to an invite, in the table below.
type event func(*History) (Verdict, bool)

// heard applies the rules as a store does. The time is that after start.
func heard(after time.Duration, r RSVP) event {
	return func(h *History) (Verdict, bool) {
		r := r
		r.At = start.Add(after)
		j := h.Judge(r)
		if j.Repeats != 0 {
			h.RSVPs[j.Repeats-1].Awaited = false
		}
		if j.Records {
			r.Number, r.Revision, r.Stale = int64(len(h.RSVPs))+1, j.Revision, j.Verdict == PossiblyStale
			awaited := r.Source == SourceCallback && !r.Delivered && !r.Stale
			h.RSVPs = append(h.RSVPs, StoredRSVP{RSVP: r, Awaited: awaited})
		}
		return j.Verdict, true
	}
}

func called(after time.Duration, status string) event { return heard(after, callback(status)) }

func asked(after time.Duration, status string) event {
	return heard(after, RSVP{Status: status, Source: SourceStatus})
}

func callback(status string) RSVP { return RSVP{Status: status, Source: SourceCallback} }

func delivered(r RSVP) RSVP {
	r.Delivered = true
	return r
}

func by(who, said string, r RSVP) RSVP {
	r.By, r.Reply = who, &Reply{Status: said}
	return r
}

// made is a request that was answered with that word and asks anew, unless it asks
// what another revision does.
func made(word string, asks ...int64) event {
	return func(h *History) (Verdict, bool) {
		q := Question{Number: int64(len(h.Questions)) + 1, Answer: word}
		q.Asks = q.Number
		if len(asks) > 0 {
			q.Asks = asks[0]
		}
		h.Questions = append(h.Questions, q)
		return 0, false
	}
}

// leaving and left are what becomes of the mail of the latest revision.
func leaving(after time.Duration) event {
	return func(h *History) (Verdict, bool) {
		q := &h.Questions[len(h.Questions)-1]
		q.Left, q.Leaving, q.LeftAt = true, true, start.Add(after)
		return 0, false
	}
}

func left(after time.Duration) event {
	return func(h *History) (Verdict, bool) {
		q := &h.Questions[len(h.Questions)-1]
		q.Left, q.Leaving, q.LeftAt = true, false, start.Add(after)
		if r, ok := h.Update(start.Add(after)); ok {
			r.Number = int64(len(h.RSVPs)) + 1
			h.RSVPs = append(h.RSVPs, StoredRSVP{RSVP: r})
		}
		return 0, false
	}
}

const day = 24 * time.Hour

// moved is an invite whose event is moved a day after it was sent and accepted; the
// API answers to that with the word.
func moved(word string, then ...event) []event {
	return append([]event{made(StatusPending), left(0), heard(time.Hour, delivered(callback("accepted"))),
		made(word), left(day)}, then...)
}

// What is no news must not become a change, whichever way it comes, and an answer to
// an earlier question is none to a new one.
func TestJudge(t *testing.T) {
	t.Parallel()
	proposal := func(minutes int) RSVP {
		r := callback("tentative")
		r.Proposal = &Proposal{Start: start.Add(time.Duration(minutes) * time.Minute), TZID: "Europe/Paris"}
		return r
	}
	comment := callback("accepted")
	comment.Comment = "with pleasure"
	for name, test := range map[string]struct {
		events []event
		want   []Verdict // of what was heard
		record []string  // what is kept, each with the revision it answers
	}{
		"pending, where nothing was heard": {[]event{called(0, "pending"), asked(0, "pending")},
			[]Verdict{Repeated, Repeated}, nil},
		"the same twice": {[]event{called(0, "accepted"), called(0, "accepted"),
			asked(time.Hour, "accepted")}, []Verdict{News, Repeated, Repeated}, []string{"0 accepted"}},
		"there and back": {[]event{heard(0, delivered(callback("accepted"))), called(0, "declined"),
			called(0, "accepted")},
			[]Verdict{News, News, News}, []string{"0 accepted", "0 declined", "0 accepted"}},
		"back to pending, where it is not known what was asked": {[]event{called(0, "accepted"),
			asked(time.Hour, "pending")}, []Verdict{News, News}, []string{"0 accepted", "0 pending"}},
		"another comment": {[]event{called(0, "accepted"), heard(0, comment)},
			[]Verdict{News, News}, []string{"0 accepted", "0 accepted"}},
		"another proposal": {[]event{called(0, "tentative"), heard(0, proposal(1)),
			heard(0, proposal(2)), heard(0, proposal(2))}, []Verdict{News, News, News, Repeated},
			[]string{"0 tentative", "0 tentative", "0 tentative"}},
		"a status the API added": {[]event{called(0, "delegated")}, []Verdict{News},
			[]string{"0 delegated"}},
		"a callback that is late": {[]event{called(0, "accepted"), called(0, "declined"),
			called(0, "accepted"), called(0, "declined")}, []Verdict{News, News, Late, Repeated},
			[]string{"0 accepted", "0 declined"}},
		"but not after a day": {[]event{called(0, "accepted"), called(0, "declined"),
			called(day, "accepted")}, []Verdict{News, News, News}, []string{"0 accepted", "0 declined", "0 accepted"}},
		"nor twice": {[]event{called(0, "accepted"), called(0, "declined"),
			called(0, "accepted"), called(0, "accepted")}, []Verdict{News, News, Late, News},
			[]string{"0 accepted", "0 declined", "0 accepted"}},
		"late, as it was not answered twice": {[]event{called(0, "accepted"), called(0, "accepted"),
			called(0, "declined"), called(0, "accepted")}, []Verdict{News, Repeated, News, Late},
			[]string{"0 accepted", "0 declined"}},
		"asked before a callback": {[]event{called(0, "accepted"), asked(-time.Second, "declined")},
			[]Verdict{News, Repeated}, []string{"0 accepted"}},
		"asked after it": {[]event{called(0, "accepted"), asked(time.Second, "declined")},
			[]Verdict{News, News}, []string{"0 accepted", "0 declined"}},
		"somebody else, once": {[]event{heard(0, by("ben", "accepted", callback("pending"))),
			heard(0, by("ben", "accepted", callback("pending")))}, []Verdict{News, Repeated}, []string{"0 pending"}},
		"somebody else, who doubts": {[]event{heard(0, by("ben", "accepted", callback("pending"))),
			heard(0, by("ben", "declined", callback("pending")))}, []Verdict{News, News},
			[]string{"0 pending", "0 pending"}},
		"two others, in turn": {[]event{
			heard(0, by("ben", "accepted", callback("pending"))), heard(0, by("zoe", "declined", callback("pending"))),
			heard(time.Hour, by("ben", "accepted", RSVP{Status: "pending",
				Source: SourceStatus})), heard(time.Hour,
				by("zoe", "declined", RSVP{Status: "pending", Source: SourceStatus})),
		}, []Verdict{News, News, Repeated, Repeated}, []string{"0 pending", "0 pending"}},
		"the recipient, after somebody else": {[]event{heard(0, by("ben", "accepted", callback("pending"))),
			called(0, "pending"), called(0, "accepted")}, []Verdict{News, Repeated, News},
			[]string{"0 pending", "0 accepted"}},

		"moved, and not asked yet": {moved("pending"), []Verdict{News}, []string{"1 accepted", "2 pending"}},
		"moved, and accepted again a day on": {moved("pending", called(2*day, "accepted")),
			[]Verdict{News, News}, []string{"1 accepted", "2 pending", "2 accepted"}},
		"moved, and declined": {moved("pending", called(day+1, "declined")),
			[]Verdict{News, News}, []string{"1 accepted", "2 pending", "2 declined"}},
		"moved, and accepted within a day, or late": {moved("pending", called(day+time.Hour, "accepted"),
			called(day+time.Hour, "accepted")),
			[]Verdict{News, PossiblyStale, PossiblyStale}, []string{"1 accepted", "2 pending", "2 accepted?"}},
		"which the API confirms": {moved("pending", called(day+time.Hour, "accepted"),
			asked(day+time.Hour, "accepted"), called(day+time.Hour, "accepted")),
			[]Verdict{News, PossiblyStale, News, Repeated}, []string{"1 accepted", "2 pending", "2 accepted?",
				"2 accepted"}},
		"or does not": {moved("pending", called(day+time.Hour, "accepted"), asked(day+time.Hour, "pending"),
			called(3*day, "accepted")),
			[]Verdict{News, PossiblyStale, Repeated, News}, []string{"1 accepted", "2 pending", "2 accepted?",
				"2 accepted"}},
		"moved, and the API keeps its word": {moved("accepted", asked(2*day, "accepted"),
			asked(2*day, "pending")), []Verdict{News, Repeated, News}, []string{"1 accepted", "2 pending"}},
		"a word it keeps is accepted anew": {moved("accepted", called(2*day, "accepted"),
			called(2*day, "accepted"), asked(2*day, "accepted")), []Verdict{News, News, Repeated, Repeated},
			[]string{"1 accepted", "2 accepted"}},
		"a word it keeps, after another": {moved("accepted", called(2*day, "declined"),
			asked(2*day, "accepted")), []Verdict{News, News, News}, []string{"1 accepted", "2 declined", "2 accepted"}},
		"a word it keeps, within a day": {moved("accepted", called(day+1, "accepted"),
			asked(day+1, "accepted")), []Verdict{News, PossiblyStale, Repeated}, []string{"1 accepted", "2 accepted?"}},
		"moved, and the API names no word": {moved("", asked(2*day, "accepted"), asked(2*day, "declined")),
			[]Verdict{News, Repeated, News}, []string{"1 accepted", "2 declined"}},
		"moved, and the API has a third word": {moved("tentative", asked(2*day, "tentative"),
			asked(2*day, "accepted")), []Verdict{News, Repeated, News}, []string{"1 accepted", "2 accepted"}},
		"moved, and never answered": {[]event{made("pending"), left(0), made("accepted"), left(day),
			called(day+1, "pending"), asked(2*day, "pending")}, []Verdict{Repeated, Repeated}, nil},
		"another title, and the API forgets": {moved("accepted", called(2*day, "accepted"), made("pending", 2),
			left(3*day), asked(3*day, "pending")), []Verdict{News, News, Repeated},
			[]string{"1 accepted", "2 accepted"}},
		"an answer that is taken back": {[]event{made("pending"), left(0),
			heard(1, delivered(callback("accepted"))), heard(2, delivered(callback("pending"))),
			heard(3, delivered(callback("accepted"))),
			made("accepted"), left(day), called(day+1,
				"pending")}, []Verdict{News, News, News, News},
			[]string{"1 accepted", "1 pending", "1 accepted", "2 pending"}},
		"perhaps stale, and so again after the next move": {moved("pending", called(day+1, "accepted"),
			made("pending"), left(2*day), called(2*day+1, "accepted")),
			[]Verdict{News, PossiblyStale, PossiblyStale}, []string{"1 accepted", "2 pending", "2 accepted?",
				"3 accepted?"}},
		"pending is never news again": {moved("pending", called(2*day, "accepted"), asked(3*day, "pending")),
			[]Verdict{News, News, Repeated}, []string{"1 accepted", "2 pending", "2 accepted"}},
		"moved twice, answered never": {moved("pending", made("pending"), left(2*day)), []Verdict{News},
			[]string{"1 accepted", "2 pending"}},
		"moved, and mailed twice": {moved("pending", left(2*day)), []Verdict{News},
			[]string{"1 accepted", "2 pending"}},
		"moved before any answer": {[]event{made("pending"), left(0), made("pending"), left(day),
			called(day+1, "accepted")}, []Verdict{News}, []string{"2 accepted"}},
		"another title keeps the answer": {[]event{made("pending"), left(0),
			heard(1, delivered(callback("accepted"))), made("pending", 1), left(day),
			called(day+1, "accepted"), asked(day+1, "accepted"), asked(day+1, "pending"), called(day+1, "declined")},
			[]Verdict{News, Repeated, Repeated, Repeated, News}, []string{"1 accepted", "2 declined"}},
		"another title, and the word is an answer that was lost": {[]event{made("pending"), left(0),
			made("accepted", 1), left(day), asked(day+1, "accepted")}, []Verdict{News}, []string{"2 accepted"}},
		"moved, but the mail has not left": {[]event{made("pending"), left(0),
			heard(1, delivered(callback("accepted"))), made("pending"),
			asked(day, "pending"), asked(day, "accepted"), called(day,
				"declined"), left(2 * day), called(2*day+1, "declined")},
			[]Verdict{News, Repeated, Repeated, News, PossiblyStale}, []string{"1 accepted", "1 declined",
				"2 pending", "2 declined?"}},
		"moved, and the mail is leaving": {[]event{made("pending"), left(0), made("pending"), leaving(day),
			called(day+1, "accepted"), asked(day+1, "accepted")},
			[]Verdict{PossiblyStale, News}, []string{"2 accepted?", "2 accepted"}},
		"the first mail is leaving": {[]event{made("pending"), leaving(0), called(1, "accepted")},
			[]Verdict{News}, []string{"1 accepted"}},
		"heard before the mail left": {moved("pending", called(day-1, "declined")),
			[]Verdict{News, Late}, []string{"1 accepted", "2 pending"}},
		"a clock that is behind": {[]event{made("pending"), left(0),
			called(-time.Second, "accepted")}, []Verdict{News}, []string{"1 accepted"}},
		"awaited of what was asked before": {[]event{made("pending"), left(0), called(1, "accepted"),
			made("pending"), left(2), called(3, "accepted")}, []Verdict{News, PossiblyStale},
			[]string{"1 accepted", "2 pending", "2 accepted?"}},
		"an answer before the last one, too": {[]event{made("pending"), left(0),
			heard(1, delivered(callback("accepted"))), heard(2, delivered(callback("declined"))),
			made("pending"), left(3), called(4, "accepted")}, []Verdict{News, News, PossiblyStale},
			[]string{"1 accepted", "1 declined", "2 pending", "2 accepted?"}},
		"somebody else, of what was asked before": {[]event{made("pending"), left(0),
			heard(1, by("ben", "accepted", callback("pending"))), made("pending"), left(2),
			heard(3, by("ben", "accepted", callback("pending"))),
			heard(2*day, by("ben", "accepted", callback("pending")))}, []Verdict{News, PossiblyStale, News},
			[]string{"1 pending", "2 pending", "2 pending?", "2 pending"}},
		"nothing is known of what was asked": {[]event{made("", 0), left(0),
			heard(1, delivered(callback("accepted"))), made("", 0), left(day), called(day+1, "accepted"),
			asked(day+1, "pending")}, []Verdict{News, Repeated, News}, []string{"1 accepted", "2 pending"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var (
				h      History
				got    []Verdict
				record []string
			)
			for _, e := range test.events {
				if verdict, ok := e(&h); ok {
					got = append(got, verdict)
				}
			}
			for _, r := range h.RSVPs {
				text := string(rune('0'+r.Revision)) + " " + r.Status
				if r.Stale {
					text += "?"
				}
				record = append(record, text)
			}
			assert.Equal(t, test.want, got)
			assert.Equal(t, test.record, record)
		})
	}
}

// As long as it is not known whether a mail left, nobody was asked anew by it.
func TestNothingIsAskedByAMailThatIsLeaving(t *testing.T) {
	t.Parallel()
	var h History
	for _, e := range []event{made("pending"), left(0), called(1, "accepted"), made("pending"), leaving(day)} {
		e(&h)
	}
	_, ok := h.Update(start.Add(day))
	assert.False(t, ok)
}

// An answer is shown with the time that it is an answer to.
func TestOutdated(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		answer *RSVP
		asks   int64
		want   bool
	}{
		"nothing heard":                {nil, 2, false},
		"of the time before":           {&RSVP{Status: "accepted", Revision: 1}, 2, true},
		"of this time":                 {&RSVP{Status: "accepted", Revision: 2}, 2, false},
		"of this time, another title":  {&RSVP{Status: "accepted", Revision: 1}, 1, false},
		"pending":                      {&RSVP{Status: "pending", Revision: 1}, 2, false},
		"somebody else's":              {&RSVP{Status: "pending", Revision: 1, By: "ben"}, 2, true},
		"of a ledger that keeps none":  {&RSVP{Status: "accepted"}, 0, false},
		"of an invite that it was for": {&RSVP{Status: "accepted"}, 2, true},
	} {
		e := Entry{RSVP: test.answer, Latest: &Revision{Asks: test.asks}}
		assert.Equal(t, test.want, e.Outdated(), name)
	}
	assert.False(t, (&Entry{RSVP: &RSVP{Status: "accepted"}}).Outdated())
}
