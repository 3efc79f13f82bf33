package ledger

import (
	"slices"
	"time"
)

// repeatedFor is for how long the API repeats a callback that was not answered with success
// (https://docs.cronofy.com/developers/api/push-notifications/).
const repeatedFor = 24 * time.Hour

// History is what a store knows of the answers to one invite. Its methods are the rules of what is
// news; they read no clock and change nothing.
type History struct {
	Questions []Question   // oldest first
	RSVPs     []StoredRSVP // oldest first
}

// Question is a revision with the method request, as far as answers go.
type Question struct {
	Number  int64
	Asks    int64     // as in Revision
	Answer  string    // as in Revision
	Left    bool      // its mail left, or may have
	Leaving bool      // of these, it is not known yet: the first submission has begun and not ended
	LeftAt  time.Time // when the latest submission began; zero if not known
}

// StoredRSVP is an RSVP as a store keeps it.
type StoredRSVP struct {
	RSVP
	Awaited bool // it came by a callback that was not answered with success: the API will repeat it
}

// Verdict says what is to be done with an RSVP.
type Verdict int

// The verdicts.
const (
	// Repeated: the record says as much, or something newer. Nothing is written but that the
	// callback of Judgement.Repeats is no longer awaited.
	Repeated Verdict = iota
	Late             // Repeated of a callback that something newer overtook
	News             // to be recorded, and told
	// PossiblyStale may be an answer to an earlier question, delivered late: it is recorded as
	// stale, unless it is already, and the API is to be asked before the application is told.
	PossiblyStale
)

// Judgement is what a history makes of an RSVP.
type Judgement struct {
	Verdict  Verdict
	Revision int64 // that it answers: the latest whose mail left before
	// Repeats is the number of the RSVP whose callback it is the repeat of, which need not be
	// awaited any longer; 0 if it is none.
	Repeats int64
	// Records: it is to be added to the history. News is, and what is possibly stale unless it
	// stands there as such.
	Records bool
}

// Judge says what the history makes of r, which came at r.At by a callback or by asking. The rules:
//
//   - It answers the latest revision whose mail left before r.At. An answer to a revision is one to
//     all that ask the same (Revision.Asks), and to no other.
//   - What says the same as the latest RSVP is no news, unless that was said of another question.
//     Pending is no news where there is no RSVP.
//   - A person who answers in the recipient's place is news once for each question.
//   - A status that the API was asked for before the latest RSVP came is no news.
//   - A status that the API gave in its answer to the request is no news.
//   - A callback that says the same as one before it which is awaited is late.
//   - A callback that says the same as an RSVP to an earlier question is possibly stale within a day
//     of the mail that asks anew, and so is any while that mail is leaving.
func (h History) Judge(r RSVP) Judgement {
	asked := h.asked(r.At)
	j := Judgement{Revision: asked.Number}
	latest := h.latest()
	if r.Source == SourceStatus {
		if !latest.At.After(r.At) && h.changes(r, latest, asked) {
			j.Verdict, j.Records = News, true
		}
		return j
	}
	switch overtaken := h.overtaken(r, latest, asked); {
	case overtaken != 0:
		j.Verdict, j.Repeats = Late, overtaken
	case latest.Revision > asked.Number:
		j.Verdict = Late
	case !h.changes(r, latest, asked):
		if latest.Awaited && latest.Delivered && latest.says(r) {
			j.Repeats = latest.Number
		}
	case h.possiblyStale(r, asked):
		j.Verdict = PossiblyStale
		j.Records = !h.has(func(old StoredRSVP) bool {
			return old.Stale && old.Revision >= asked.Asks && old.says(r)
		})
	default:
		j.Verdict, j.Records = News, true
	}
	return j
}

// Recorded is what became of an RSVP, as a store says it.
type Recorded struct {
	Known   bool // the invite is; nothing was recorded otherwise
	Verdict Verdict
	// Before is the latest RSVP until then that is not stale, nil if there was none.
	Before *RSVP
}

// Latest is the last RSVP that is not stale, nil if there is none.
func (h History) Latest() *RSVP {
	if latest := h.latest(); latest.Number != 0 {
		return &latest.RSVP
	}
	return nil
}

// Update is the RSVP, if any, that the mail of a revision brings about when it has left, at that time:
// that the recipient has not answered what it asks anew, if the API says so and the latest answer is
// one to something else.
func (h History) Update(at time.Time) (r RSVP, ok bool) {
	var asked Question
	for _, q := range h.Questions {
		if q.Left && !q.Leaving {
			asked = q
		}
	}
	latest := h.latest()
	if !latest.answered() || latest.Revision >= asked.Asks || h.first(asked).Answer != StatusPending {
		return RSVP{}, false
	}
	return RSVP{Revision: asked.Number, Status: StatusPending, Source: SourceUpdate, At: at}, true
}

// asked is the latest question whose mail left before that time, else the first whose mail left, as
// clocks differ; the zero Question if none did.
func (h History) asked(before time.Time) (asked Question) {
	for _, q := range h.Questions {
		if q.Left && (asked.Number == 0 || !q.LeftAt.After(before)) {
			asked = q
		}
	}
	return asked
}

// latest is the last RSVP that is not stale; pending if there is none.
func (h History) latest() StoredRSVP {
	for _, old := range slices.Backward(h.RSVPs) {
		if !old.Stale {
			return old
		}
	}
	return StoredRSVP{RSVP: RSVP{Status: StatusPending}}
}

func (h History) has(match func(StoredRSVP) bool) bool { return slices.ContainsFunc(h.RSVPs, match) }

// says tells whether both say the same.
func (r *RSVP) says(other RSVP) bool { return r.SameState(other) && r.SameReply(other) }

// first is the question that first asked what q does; the zero Question if that is not known.
func (h History) first(q Question) Question {
	i := slices.IndexFunc(h.Questions, func(first Question) bool { return first.Number == q.Asks })
	if i < 0 {
		return Question{}
	}
	return h.Questions[i]
}

// overtaken is the number of the RSVP, other than the latest, whose callback r is the repeat of; 0 if
// there is none.
func (h History) overtaken(r RSVP, latest StoredRSVP, asked Question) (number int64) {
	for _, old := range h.RSVPs {
		if old.Awaited && old.Number != latest.Number && old.Revision >= asked.Asks &&
			r.At.Sub(old.At) < repeatedFor && old.says(r) {
			return old.Number
		}
	}
	return 0
}

// changes tells whether r says anything of the question that the record does not.
func (h History) changes(r RSVP, latest StoredRSVP, asked Question) bool {
	return h.changesState(r, latest, asked) || r.By != "" && h.changesReply(r, asked)
}

func (h History) changesState(r RSVP, latest StoredRSVP, asked Question) bool {
	plain := r.Status == StatusPending && r.Comment == "" && r.Proposal == nil
	same, anew := r.SameState(latest.RSVP), latest.Revision < asked.Asks
	if r.Source != SourceStatus {
		return !same || anew && !plain
	}
	answer, last := h.first(asked).Answer, "" // what the API said then, and to the last request
	if n := len(h.Questions); n > 0 {
		last = h.Questions[n-1].Answer
	}
	switch {
	case plain && (answer == StatusPending || last == StatusPending):
		return false
	case anew && r.Status == answer:
		return false
	case anew && same:
		return answer != "" && !plain
	}
	return !same
}

// changesReply tells whether the person who answered instead of the recipient said something else
// before. When asked, the API may repeat a reply to an earlier question.
func (h History) changesReply(r RSVP, asked Question) bool {
	for _, old := range slices.Backward(h.RSVPs) {
		if old.By == r.By && !old.Stale && (r.Source == SourceStatus || old.Revision >= asked.Asks) {
			return !old.SameReply(r)
		}
	}
	return true
}

// possiblyStale tells whether the callback r may be one to an earlier question.
func (h History) possiblyStale(r RSVP, asked Question) bool {
	first := h.first(asked)
	switch {
	case first.Number == 0 || !r.answered():
		return false
	case first.Leaving:
		return slices.ContainsFunc(h.Questions, func(q Question) bool { return q.Left && q.Number < first.Number })
	}
	return r.At.Sub(first.LeftAt) < repeatedFor && h.has(func(old StoredRSVP) bool {
		return old.Revision < first.Number && old.says(r)
	})
}
