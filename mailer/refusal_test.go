package mailer_test

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/invitemailer/invitemailer/internal/smtptest"
	"github.com/invitemailer/invitemailer/mailer"
)

// answers is a script that says a line to the n-th transaction at a point, until
// it is told to be good. An empty line is the right answer, and one that ends
// with "^" ends the connection. The last one goes on for ever.
type answers struct {
	point smtptest.Point
	lines []string

	mu   sync.Mutex
	good bool
}

func (a *answers) script(e smtptest.Event) smtptest.Fault {
	a.mu.Lock()
	defer a.mu.Unlock()
	n := max(0, min(e.Transaction, len(a.lines))-1)
	if a.good || len(a.lines) == 0 {
		return smtptest.Fault{}
	}
	line, last := strings.CutSuffix(a.lines[n], "^")
	f := smtptest.Fault{Reply: line}
	switch {
	case e.Point == smtptest.AtDot && last && line == "":
		return smtptest.After(smtptest.HangUp())
	case e.Point != a.point:
		return smtptest.Fault{}
	case last && line != "":
		f.Then = smtptest.Close
	}
	return f
}

func (a *answers) beGood() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.good = true
}

// to is an invite for an address.
func to(address string) mailer.Invite {
	i := boardMeeting()
	i.Recipient = mailer.Recipient{Email: address}
	return i
}

// threeDomains are recipients of three domains, and one more.
var threeDomains = []string{"a@one.example", "b@two.example", "c@three.example", "d@four.example"}

// sendAll runs the invites one after the other with a new Mailer.
func (h *fixture) sendAll(t testing.TB, invites ...mailer.Invite) ([]mailer.Receipt, error) {
	t.Helper()
	var receipts []mailer.Receipt
	err := h.mailer(t).SendAll(context.Background(), items(invites), mailer.RunOptions{},
		func(r mailer.Result) { receipts = append(receipts, r.Receipts...) })
	return receipts, err
}

func items(invites []mailer.Invite) iter.Seq[mailer.Item] {
	return func(yield func(mailer.Item) bool) {
		for i := range invites {
			if !yield(mailer.Item{Invite: &invites[i]}) {
				return
			}
		}
	}
}

func all(addresses []string) []mailer.Invite {
	invites := make([]mailer.Invite, 0, len(addresses))
	for n, a := range addresses {
		i := to(a)
		i.ID = fmt.Sprintf("meeting-%d", n)
		invites = append(invites, i)
	}
	return invites
}

func outcomesOf(receipts []mailer.Receipt) string {
	words := make([]string, 0, len(receipts))
	for _, r := range receipts {
		words = append(words, string(r.Outcome))
	}
	return strings.Join(words, " ")
}

// What becomes of a row of refusals: when the run stops, what it asks about the
// sender, and what the next run, to a server that takes everything, still takes
// for refused.
func TestRefusalsAreHeldAgainstEachOther(t *testing.T) {
	t.Parallel()
	const (
		access = "554 5.7.1 Access denied"
		later  = "451 4.3.0 Later"
	)
	rcpt, dot := smtptest.AtRcpt, smtptest.AtDot
	for name, tc := range map[string]struct {
		to        []string // default: threeDomains
		senders   []string // of the records, one for each
		offers    bool     // the server offers a login
		point     smtptest.Point
		lines     []string // for one transaction each
		outcomes  string
		stops     bool
		temporary bool
		probes    int
		next      string // outcomes of the next run
	}{
		"no login, and one is offered": {offers: true, point: rcpt, lines: []string{access}, stops: true,
			outcomes: "deferred deferred deferred deferred", next: "sent sent sent sent"},
		"no login, and the first is taken": {offers: true, point: rcpt, lines: []string{"", access, ""},
			outcomes: "sent failed sent sent", next: "unchanged failed unchanged unchanged"},
		"no login, and the first does not exist": {offers: true, point: rcpt,
			lines:    []string{"550 5.1.1 No such user", ""},
			outcomes: "failed sent sent sent", next: "failed unchanged unchanged unchanged"},
		"three domains, and the sender": {point: rcpt, lines: []string{access}, stops: true, probes: 1,
			outcomes: "failed failed deferred deferred", next: "sent sent sent sent"},
		"three domains, bare, and the sender": {point: rcpt, lines: []string{"550 No"}, stops: true, probes: 1,
			outcomes: "failed failed deferred deferred", next: "sent sent sent sent"},
		"three domains, not the sender": {point: rcpt, lines: []string{access, access, access, "", ""}, probes: 1,
			outcomes: "failed failed failed sent", next: "failed failed failed unchanged"},
		"three domains, not the sender, and no more": {to: threeDomains[:3], point: rcpt,
			lines: []string{access, access, access, ""}, probes: 1,
			outcomes: "failed failed failed", next: "failed failed failed"},
		"three domains, not the sender, and others": {to: append(slices.Clone(threeDomains), "e@five.example"),
			point: rcpt, lines: []string{access, access, access, "", access}, probes: 1,
			outcomes: "failed failed failed failed failed", next: "failed failed failed sent sent"},
		"three domains, not the sender, one unlike": {point: rcpt,
			lines: []string{"550 No", access, access, access, ""}, probes: 1,
			outcomes: "failed failed failed failed", next: "sent failed failed failed"},
		"three domains, not the sender, two senders": {to: threeDomains[:3],
			senders: []string{"x@acme.example", "y@acme.example", "y@acme.example"}, point: rcpt,
			lines: []string{access, access, access, ""}, probes: 1,
			outcomes: "failed failed failed", next: "sent failed failed"},
		"three domains, the sender later": {point: rcpt, lines: []string{access, access, access, later},
			stops: true, temporary: true, probes: 1,
			outcomes: "failed failed deferred deferred", next: "sent sent sent sent"},
		"two domains": {to: []string{"a@one.example", "b@two.example", "c@one.example"}, point: rcpt,
			lines:    []string{access},
			outcomes: "failed failed failed", next: "sent sent sent"},
		"three domains, not alike": {to: threeDomains[:3], point: rcpt, lines: []string{access, "550 No", access},
			outcomes: "failed failed failed", next: "sent sent sent"},
		"three domains, one not there": {point: rcpt, lines: []string{access, access, "550 5.1.1 No such user", access},
			outcomes: "failed failed failed failed", next: "sent sent failed sent"},
		"three domains, one taken": {point: rcpt, lines: []string{"550 No", "550 No", "", "550 No"},
			outcomes: "failed failed sent failed", next: "failed failed unchanged sent"},
		"three domains, after the content": {point: dot, lines: []string{"554 No"}, stops: true,
			outcomes: "failed failed deferred deferred", next: "sent sent sent sent"},

		"bare, and another is taken": {to: threeDomains[:2], point: rcpt, lines: []string{"550 No", ""},
			outcomes: "failed sent", next: "failed unchanged"},
		"another was taken, and bare": {to: threeDomains[:2], point: rcpt, lines: []string{"", "550 No"},
			outcomes: "sent failed", next: "unchanged sent"},
		"bare at the dot, another taken": {to: threeDomains[:2], point: dot, lines: []string{"554 No", ""},
			outcomes: "failed sent", next: "failed unchanged"},
		"bare, and another of a sender": {to: threeDomains[:2],
			senders: []string{"x@acme.example", "y@acme.example"}, point: rcpt, lines: []string{"550 No", ""},
			outcomes: "failed sent", next: "sent unchanged"},
		"policy, same connection, before": {to: threeDomains[:2], point: rcpt, lines: []string{"", access},
			outcomes: "sent failed", next: "unchanged failed"},
		"policy, same connection, after": {to: threeDomains[:2], point: rcpt, lines: []string{access, ""},
			outcomes: "failed sent", next: "failed unchanged"},
		"policy, another connection": {to: threeDomains[:2], point: rcpt, lines: []string{"^", access},
			outcomes: "sent failed", next: "unchanged sent"},
		"policy, another connection later": {to: threeDomains[:2], point: rcpt,
			lines: []string{access + "^", ""}, outcomes: "failed sent", next: "sent unchanged"},
		"bare, another connection later": {to: threeDomains[:2], point: rcpt, lines: []string{"550 No^", ""},
			outcomes: "failed sent", next: "failed unchanged"},
		"bare, and the same is taken": {to: []string{"a@one.example", "A@one.example"}, point: rcpt,
			lines: []string{"550 No", ""}, outcomes: "failed sent", next: "sent unchanged"},
		"policy, another sender": {to: threeDomains[:2],
			senders: []string{"x@acme.example", "y@acme.example"}, point: rcpt, lines: []string{"", access},
			outcomes: "sent failed", next: "unchanged sent"},
		"a group for members only": {to: threeDomains[:2], point: dot,
			lines: []string{"",
				"550 5.7.133 RESOLVER.RST.SenderNotAuthenticatedForGroup; authentication required"},
			outcomes: "sent failed", next: "unchanged failed"},

		"relaying denied": {point: rcpt, lines: []string{"554 5.7.1 Relay access denied"}, stops: true,
			outcomes: "deferred deferred deferred deferred", next: "sent sent sent sent"},
		"relaying denied to one": {point: rcpt, lines: []string{"554 5.7.1 Relay access denied", ""},
			outcomes: "deferred sent sent sent", next: "sent unchanged unchanged unchanged"},
		"one sender of many refused": {point: smtptest.AtMail, lines: []string{"553 5.7.1 Sender address rejected", ""},
			outcomes: "deferred sent sent sent", next: "sent unchanged unchanged unchanged"},
		"all senders refused": {point: smtptest.AtMail, lines: []string{"553 5.7.1 Sender address rejected"},
			stops:    true,
			outcomes: "deferred deferred deferred deferred", next: "sent sent sent sent"},
		"daily quota": {point: dot, lines: []string{"", "550 5.4.5 Daily user sending limit exceeded"},
			stops: true, temporary: true,
			outcomes: "sent deferred deferred deferred", next: "unchanged sent sent sent"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := &answers{point: tc.point, lines: tc.lines}
			h := newRecordedFixture(t, server.script)
			if tc.offers {
				h.smtp.Mechanisms = []string{"PLAIN"}
			}
			addresses := tc.to
			if addresses == nil {
				addresses = threeDomains
			}
			invites := all(addresses)
			for i, s := range tc.senders {
				invites[i].Organizer = &mailer.Organizer{Email: s}
			}
			receipts, err := h.sendAll(t, invites...)
			assert.Equal(t, tc.outcomes, outcomesOf(receipts), "%v", err)
			if tc.stops {
				var e *mailer.Error
				require.ErrorAs(t, err, &e)
				assert.True(t, e.StopsRun)
				assert.Equal(t, tc.temporary, e.Temporary)
				assert.Equal(t, !tc.temporary, e.Code == mailer.CodeSMTPConfig)
				if tc.offers {
					assert.Contains(t, e.Message, "set submission.Config.Username")
				}
			} else {
				require.NoError(t, err)
			}
			probes := 0
			for _, line := range h.smtp.Commands() {
				if line == "RCPT TO:<jane@example.com>" || line == "RCPT TO:<y@acme.example>" {
					probes++
				}
			}
			assert.Equal(t, tc.probes, probes, "questions about the sender")
			for _, r := range receipts {
				if r.Error != nil {
					assert.NotContains(t, r.Error.Message, r.Recipient, "an error names no recipient")
				}
			}

			server.beGood()
			before := len(h.smtp.Transactions())
			next, err := h.sendAll(t, invites...)
			require.NoError(t, err)
			assert.Equal(t, tc.next, outcomesOf(next))
			assert.Len(t, h.smtp.Transactions(), before+strings.Count(tc.next, "sent"))
			for _, r := range next {
				if r.Outcome == mailer.Failed {
					assert.True(t, r.Error.Permanent)
				}
			}
		})
	}
}

// Thirty invites and no login: one is tried, all are sent once the login is set.
func TestAForgottenLoginCostsNoInvite(t *testing.T) {
	t.Parallel()
	var addresses []string
	for i := range 30 {
		addresses = append(addresses, fmt.Sprintf("p%d@d%d.example", i, i))
	}
	server := &answers{point: smtptest.AtRcpt, lines: []string{"554 5.7.1 Access denied"}}
	h := newRecordedFixture(t, server.script)
	h.smtp.Mechanisms = []string{"PLAIN"}
	receipts, err := h.sendAll(t, all(addresses)...)
	require.Error(t, err)
	require.Len(t, receipts, 30)
	assert.Len(t, h.smtp.Transactions(), 1)
	server.beGood()
	receipts, err = h.sendAll(t, all(addresses)...)
	require.NoError(t, err)
	assert.Equal(t, strings.TrimSpace(strings.Repeat("sent ", 30)), outcomesOf(receipts))
}

// Send has no run: it goes by what its Mailer saw in the last ten minutes.
func TestSendJudgesByTheLastTenMinutes(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		line      string
		before    string        // who was mailed before; empty for nobody
		sender    string        // of that mail, if another
		ago       time.Duration // how long before
		offers    bool
		closes    bool // the server, after that mail
		permanent bool
		stops     bool
	}{
		"nobody before": {line: "550 No"},
		"another before": {line: "550 No", before: "b@two.example", ago: 9 * time.Minute,
			permanent: true},
		"another long before": {line: "550 No", before: "b@two.example", ago: 11 * time.Minute},
		"the same before":     {line: "550 No", before: "A@one.example", ago: time.Minute},
		"another before, another sender": {line: "550 No", before: "b@two.example",
			sender: "x@acme.example", ago: time.Minute},
		"policy, another before": {line: "554 5.7.1 No", before: "b@two.example",
			ago: time.Minute, permanent: true},
		"policy, before on another connection": {line: "554 5.7.1 No", before: "b@two.example", closes: true,
			ago: time.Minute},
		"bare, before on another connection": {line: "550 No", before: "b@two.example", closes: true,
			ago: time.Minute, permanent: true},
		"policy, the same before": {line: "554 5.7.1 No", before: "A@one.example", ago: time.Minute},
		"a login is offered":      {line: "550 No", offers: true, stops: true},
		"a login is offered, another sent": {line: "550 No", offers: true, before: "b@two.example",
			ago: time.Minute, permanent: true},
		"a login is offered, long ago": {line: "550 No", offers: true, before: "b@two.example",
			ago: 11 * time.Minute, stops: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			lines := []string{"", tc.line}
			if tc.closes {
				lines[0] = "^"
			}
			if tc.before == "" {
				lines = lines[1:]
			}
			server := &answers{point: smtptest.AtRcpt, lines: lines}
			h := newRecordedFixture(t, server.script)
			if tc.offers {
				h.smtp.Mechanisms = []string{"PLAIN"}
			}
			now := today
			h.cfg.Now = func() time.Time { return now }
			m := h.mailer(t)
			if tc.before != "" {
				before := to(tc.before)
				before.ID = "before"
				if tc.sender != "" {
					before.Organizer = &mailer.Organizer{Email: tc.sender}
				}
				_, err := m.Send(t.Context(), before)
				require.NoError(t, err)
				now = now.Add(tc.ago)
			}
			r, err := m.Send(t.Context(), to("a@one.example"))
			require.Error(t, err)
			assert.Equal(t, tc.permanent, r.Error.Permanent)
			assert.Equal(t, tc.stops, r.Error.StopsRun)
			server.beGood()
			want := mailer.Sent
			if tc.permanent {
				want = mailer.Failed
			}
			assert.Equal(t, want, h.send(t, to("a@one.example")).Outcome, "the next run")
		})
	}
}

// That the server takes mail without a login is known for the whole run, however
// long it takes.
func TestALongRunKnowsThatNoLoginIsNeeded(t *testing.T) {
	t.Parallel()
	server := &answers{point: smtptest.AtRcpt, lines: []string{"", "550 No", ""}}
	h := newRecordedFixture(t, server.script)
	h.smtp.Mechanisms = []string{"PLAIN"}
	var mu sync.Mutex
	now := today
	h.cfg.Now = func() time.Time {
		mu.Lock()
		defer mu.Unlock()
		now = now.Add(time.Hour)
		return now
	}
	receipts, err := h.sendAll(t, all(threeDomains[:3])...)
	require.NoError(t, err)
	assert.Equal(t, "sent failed sent", outcomesOf(receipts))
}
