package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The codes that the command ends with.
const (
	allSent  = 0
	failed   = 1
	runAgain = 75
	settings = 78
)

// Each login that Postfix offers is accepted, and what is sent arrives once.
func TestLogins(t *testing.T) {
	t.Parallel()
	op := newOperator(t, options{})
	recipients := guests(4)
	for i, mechanism := range []string{"auto", "scram-sha-256", "plain", "login"} {
		op.env["SMTP_AUTH"] = mechanism
		r := op.send(op.write(recipients[:i+1]))
		assert.Equal(t, allSent, r.code, mechanism)
		assert.Equal(t, 1, r.outcomes()["sent"], mechanism)
		checked, found := op.exec("check")
		assert.Equal(t, allSent, checked.code, "%s: %s", mechanism, found)
	}
	op.arrived(4)

	op.env["SMTP_PASSWORD"] = "wrong"
	for _, mechanism := range []string{"auto", "scram-sha-256", "plain", "login"} {
		op.env["SMTP_AUTH"] = mechanism
		r := op.send(op.write(guests(5)))
		assert.Equal(t, settings, r.code, mechanism)
		assert.Empty(t, op.refused())
	}
	op.arrived(4)
}

// Who forgot the login is told so: nothing is remembered against anybody, and
// once it is set the same file sends all.
func TestForgottenLogin(t *testing.T) {
	t.Parallel()
	op := newOperator(t, options{})
	delete(op.env, "SMTP_USERNAME")
	delete(op.env, "SMTP_PASSWORD")
	file := op.write(guests(10))
	for range 2 {
		r := op.send(file)
		assert.Equal(t, settings, r.code)
		assert.Equal(t, map[string]int{"deferred": 10}, r.outcomes())
		assert.Contains(t, r.stderr, "SMTP_USERNAME")
		assert.Empty(t, op.refused())
	}
	op.env["SMTP_USERNAME"], op.env["SMTP_PASSWORD"] = username, password
	r := op.send(file)
	assert.Equal(t, allSent, r.code)
	assert.Equal(t, map[string]int{"sent": 10}, r.outcomes())
	op.arrived(10)
}

// A client that is on a block list is refused at every recipient: that is about
// the client, and no recipient is to blame.
func TestBlockedClient(t *testing.T) {
	t.Parallel()
	list := "check_client_access inline:{ { 127.0.0.1 = 554 5.7.1 Service unavailable; Client host [127.0.0.1] blocked using zen.spamhaus.org } }"
	op := newOperator(t, options{restrictions: []string{list}})
	file := op.write(guests(10))
	for range 2 {
		r := op.send(file)
		assert.Equal(t, settings, r.code)
		assert.Zero(t, r.outcomes()["sent"])
		assert.Positive(t, r.outcomes()["deferred"], "the run stopped")
		assert.Contains(t, r.stderr, "blocked using zen.spamhaus.org", "the server's words say what to do")
		assert.Empty(t, op.refused())
	}
	op.arrived(0)
}

// Whoever may not send as this sender may send nothing, and it says nothing of
// the recipients.
func TestSomebodyElsesSender(t *testing.T) {
	t.Parallel()
	op := newOperator(t, options{restrictions: []string{"reject_sender_login_mismatch"}, settings: []string{
		fmt.Sprintf("smtpd_sender_login_maps = inline:{ hr@%[1]s=%[2]s@%[1]s, ceo@%[1]s=ceo@%[1]s }", realm,
			username)}})
	op.env["MAIL_FROM"] = "ceo@" + realm
	file := op.write(guests(10))
	for range 2 {
		r := op.send(file)
		assert.Equal(t, settings, r.code)
		assert.Zero(t, r.outcomes()["sent"])
		assert.Empty(t, op.refused())
	}
	op.env["MAIL_FROM"] = "hr@" + realm
	r := op.send(file)
	assert.Equal(t, allSent, r.code)
	assert.Equal(t, map[string]int{"sent": 10}, r.outcomes())
	op.arrived(10)
}

// Greylisting takes a recipient at the second time: the run is to be run again,
// and then sends all.
func TestGreylisting(t *testing.T) {
	t.Parallel()
	seen := make(map[string]bool)
	grey, err := newPolicy(t.Context(), func(a map[string]string) string {
		key := a["sender"] + " " + a["recipient"]
		if seen[key] {
			return "DUNNO"
		}
		seen[key] = true
		return "defer_if_permit Greylisted, please try again"
	})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, grey.Close()) })
	op := newOperator(t, options{restrictions: []string{grey.restriction()}})
	file := op.write(guests(5))
	r := op.send(file)
	assert.Equal(t, runAgain, r.code)
	assert.Equal(t, map[string]int{"deferred": 5}, r.outcomes())
	for _, one := range r.receipts {
		assert.True(t, strings.HasPrefix(one.Reply, "450 4."), one.Reply)
	}
	r = op.send(file)
	assert.Equal(t, allSent, r.code)
	assert.Equal(t, map[string]int{"sent": 5}, r.outcomes())
	op.arrived(5)
}

// A recipient whom the server does not know, or whom a map rejects without a word,
// fails alone, is remembered since others are taken, and is told once.
func TestRejectedRecipient(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]string{"not known": "550 5.1.1 User unknown", "by a map": "REJECT"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rejectedRecipient(t, answer)
		})
	}
}

func rejectedRecipient(t *testing.T, answer string) {
	t.Helper()
	recipients := guests(5)
	reject := fmt.Sprintf("check_recipient_access inline:{ { %s = %s } }", recipients[1], answer)
	op := newOperator(t, options{restrictions: []string{reject}})
	file := op.write(recipients)
	r := op.send(file)
	assert.Equal(t, failed, r.code)
	assert.Equal(t, map[string]int{"sent": 4, "failed": 1}, r.outcomes())
	assert.Equal(t, []string{"interview-1"}, op.refused())

	r = op.send(file)
	assert.Equal(t, allSent, r.code, "it was told before")
	for _, one := range r.receipts {
		assert.Equal(t, one.InviteID == "interview-1", one.Outcome == "failed" && one.Known, "%+v", one)
	}
	recorded := op.run("status").receipts
	require.Len(t, recorded, 5)
	for _, one := range recorded {
		assert.Equal(t, 1, one.Attempts, "nobody was asked again: %+v", one)
	}
	assert.Equal(t, []string{"interview-1"}, op.refused())
	op.arrived(4)
}

// A login that is lost in mid-run stops it: what was sent is sent, the rest is
// deferred, and sent once the login is right again.
func TestLoginLostInMidRun(t *testing.T) {
	t.Parallel()
	var op *operator
	asked := 0
	drop, err := newPolicy(t.Context(), func(map[string]string) string {
		if asked++; asked != 4 {
			return "DUNNO"
		}
		if err := op.postfix.setPassword(t.Context(), "changed-"+password); err != nil {
			return "500 " + err.Error()
		}
		return "421 4.3.2 Service shutting down" // and closes
	})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, drop.Close()) })
	op = newOperator(t, options{restrictions: []string{drop.restriction()}})
	file := op.write(guests(12))
	r := op.send(file)
	assert.Equal(t, settings, r.code)
	assert.Equal(t, map[string]int{"sent": 3, "deferred": 9}, r.outcomes())
	assert.Contains(t, r.stderr, "SMTP_PASSWORD")
	assert.Empty(t, op.refused())
	op.arrived(3)

	op.env["SMTP_PASSWORD"] = "changed-" + password
	r = op.send(file)
	assert.Equal(t, allSent, r.code)
	assert.Equal(t, 9, r.outcomes()["sent"])
	op.arrived(12)
}
