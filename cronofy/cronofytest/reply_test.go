package cronofytest_test

import (
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/invitemailer/invitemailer/cronofy/cronofytest"
)

// invitation is a mail with the calendar in it, as plain as can be.
func invitation(calendar string) []byte {
	return []byte(
		"From: organizer@myapplication.com\r\nTo: cronofy@example.com\r\nMessage-ID: <1@myapplication.com>\r\n" +
			"MIME-Version: 1.0\r\n" +
			"Content-Type: text/calendar; charset=utf-8; method=REQUEST\r\nContent-Transfer-Encoding: base64\r\n\r\n" +
			base64.StdEncoding.EncodeToString(
				[]byte(calendar),
			) + "\r\n",
	)
}

func replyServer(t *testing.T, change func(o object)) (*cronofytest.Server, string) {
	t.Helper()
	s := cronofytest.New(cronofytest.Options{Now: noon})
	t.Cleanup(func() { assert.NoError(t, s.Close()) })
	o := documentedObject(t)
	if change != nil {
		change(o)
	}
	_, text := create(t, s, o)
	return s, text
}

// An answer that was written must be read, with all that belongs to it.
func TestReplyMail(t *testing.T) {
	t.Parallel()
	proposal := &cronofytest.Proposal{
		Start: time.Date(
			2026,
			5,
			4,
			8,
			0,
			0,
			0,
			time.UTC,
		), End: time.Date(2026, 5, 4, 8, 45, 0, 0, time.UTC), TZID: "Europe/Berlin",
	}
	answers := map[string]cronofytest.Answer{
		"accepted": {Status: "accepted"},
		"comment": {
			Status:  "declined",
			Comment: "Bin krank, leider; „Grüße“\n" + strings.Repeat("Lange Zeile, ", 20) + "Zoë",
		},
		"proposal":  {Status: "tentative", Comment: "later?", Proposal: proposal},
		"forwarded": {Status: "accepted", By: "colleague@example.net", Comment: "me instead"},
		"upper":     {Status: "accepted", Recipient: "Cronofy@Example.com"},
	}
	zones := map[string]func(o object){
		"time in a zone": nil,
		"day": func(o object) {
			o["event"] = object{
				"summary": "Away; day, „draußen“",
				"start":   "2026-07-01",
				"end":     "2026-07-03",
				"tzid":    "Europe/Madrid",
			}
		},
		"utc":   func(o object) { delete(o["event"].(object), "tzid") },
		"south": func(o object) { o["event"].(object)["tzid"] = "Australia/Sydney" },
	}
	for name, a := range answers {
		for zone, change := range zones {
			t.Run(name+"/"+zone, func(t *testing.T) {
				t.Parallel()
				s, text := replyServer(t, change)
				dated := a
				dated.At = noon()
				mail, err := cronofytest.ReplyMail(invitation(text), dated)
				require.NoError(t, err)
				require.NoError(t, s.Reply(t.Context(), mail), "%s", mail)
				i := s.Invites()[0]
				require.Len(t, i.Replies, 1)
				got, own := i.Replies[0], i.Recipients[0]
				if a.By != "" {
					assert.Equal(t, a.By, got.Email)
					assert.Equal(t, cronofytest.Participant{Email: email, Status: "pending"}, own)
				} else {
					assert.Equal(t, got, own)
					assert.Equal(t, email, got.Email)
				}
				assert.Equal(t, a.Status, got.Status)
				assert.Equal(t, a.Comment, got.Comment)
				if a.Proposal == nil {
					assert.Nil(t, got.Proposal)
					return
				}
				require.NotNil(t, got.Proposal)
				assert.True(t, proposal.Start.Equal(got.Proposal.Start), "%s", got.Proposal.Start)
				assert.True(t, proposal.End.Equal(got.Proposal.End), "%s", got.Proposal.End)
			})
		}
	}
}

// An answer to what was changed since, or one overtaken on its way, must not count.
func TestReplyOrder(t *testing.T) {
	t.Parallel()
	s, text := replyServer(t, nil)
	answer := func(status string, minute int) error {
		mail, err := cronofytest.ReplyMail(
			invitation(text),
			cronofytest.Answer{Status: status, At: noon().Add(time.Duration(minute) * time.Minute)})
		require.NoError(t, err)
		return s.Reply(t.Context(), mail)
	}
	refused := func(err error, want string) {
		t.Helper()
		require.ErrorContains(t, err, "reply is ignored ("+want+"): ")
	}
	require.NoError(t, answer("accepted", 10))
	require.NoError(t, answer("accepted", 10), "the same mail twice is harmless")
	refused(answer("declined", 9), "outdated")
	require.NoError(t, setStatus(s, id, email, "tentative", ""))
	refused(answer("declined", 9), "outdated")
	require.NoError(t, answer("declined", 11))

	o := documentedObject(t)
	o["event"].(object)["end"] = "2026-04-29T11:00:00Z"
	_, changed := create(t, s, o)
	refused(answer("accepted", 12), "outdated")
	assert.Equal(t, "pending", s.Invites()[0].Recipients[0].Status)
	text = changed
	require.NoError(t, answer("accepted", 13))

	_, _ = create(t, s, object{"method": "cancel", "recipient": object{"email": email}, "smart_invite_id": id})
	refused(answer("declined", 14), "cancelled")
	assert.ErrorContains(
		t,
		s.Answer(t.Context(), cronofytest.Answer{InviteID: id, Recipient: email, Status: "accepted"}),
		"cancelled",
	)
}

// Of an invite for several, each has an answer of their own, and a stranger changes none.
func TestReplyMultiple(t *testing.T) {
	t.Parallel()
	s, text := replyServer(t, func(o object) {
		delete(o, "recipient")
		o["recipients"] = []object{{"email": "ada@example.com"}, {"email": "grace@example.org"}}
	})
	for who, status := range map[string]string{"grace@example.org": "declined", "stranger@example.net": "accepted"} {
		mail, err := cronofytest.ReplyMail(
			invitation(text),
			cronofytest.Answer{Recipient: who, Status: status})
		require.NoError(t, err)
		require.NoError(t, s.Reply(t.Context(), mail))
	}
	i := s.Invites()[0]
	assert.Equal(
		t,
		[]cronofytest.Participant{
			{Email: "ada@example.com", Status: "pending"},
			{Email: "grace@example.org", Status: "declined"},
		},
		i.Recipients,
	)
	assert.Len(t, i.Replies, 2)
	_, err := cronofytest.ReplyMail(invitation(text), cronofytest.Answer{Status: "accepted"})
	assert.ErrorContains(t, err, "who answers")
}

// The times of a COUNTER mean the same instants however they are written.
func TestCounterTimes(t *testing.T) {
	t.Parallel()
	windows := []string{"BEGIN:VTIMEZONE", "TZID:W. Europe Standard Time",
		"BEGIN:STANDARD", "DTSTART:16010101T030000", "TZOFFSETFROM:+0200", "TZOFFSETTO:+0100",
		"RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=10", "END:STANDARD",
		"BEGIN:DAYLIGHT", "DTSTART:16010101T020000", "TZOFFSETFROM:+0100", "TZOFFSETTO:+0200",
		"RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=3", "END:DAYLIGHT",
		"END:VTIMEZONE"}
	table := map[string]struct {
		times []string
		start string
		tzid  string
	}{
		"utc": {
			[]string{"DTSTART:20260701T100000Z", "DTEND:20260701T110000Z"},
			"2026-07-01T10:00:00Z",
			"Europe/London",
		},
		"iana": {
			[]string{"DTSTART;TZID=Asia/Tokyo:20260701T100000", "DURATION:PT1H"},
			"2026-07-01T01:00:00Z",
			"Asia/Tokyo",
		},
		"floating": {
			[]string{"DTSTART:20260701T100000", "DTEND:20260701T110000"},
			"2026-07-01T09:00:00Z",
			"Europe/London",
		},
		"windows, summer": {
			[]string{"DTSTART;TZID=W. Europe Standard Time:20260701T100000", "DURATION:P0DT1H0M0S"},
			"2026-07-01T08:00:00Z",
			"Europe/London",
		},
		"windows, winter": {
			[]string{`DTSTART;TZID="W. Europe Standard Time":20261201T100000`, "DURATION:PT1H"},
			"2026-12-01T09:00:00Z",
			"Europe/London",
		},
		"windows, january": {
			[]string{"DTSTART;TZID=W. Europe Standard Time:20270110T100000", "DURATION:PT1H"},
			"2027-01-10T09:00:00Z",
			"Europe/London",
		},
		"days": {
			[]string{"DTSTART;VALUE=DATE:20260701", "DURATION:P1D"},
			"2026-07-01T00:00:00Z",
			"Europe/London",
		},
	}
	for name, row := range table {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, _ := replyServer(t, nil)
			text := replyText(
				"COUNTER",
				s.Invites()[0].UID,
				append(row.times, "ATTENDEE:mailto:cronofy@example.com")...)
			text = strings.Replace(text, "BEGIN:VEVENT", strings.Join(windows, "\r\n")+"\r\nBEGIN:VEVENT", 1)
			require.NoError(t, s.Reply(t.Context(), wire(plain, text)))
			r := s.Invites()[0].Recipients[0]
			assert.Equal(t, "tentative", r.Status)
			require.NotNil(t, r.Proposal)
			assert.Equal(t, row.start, r.Proposal.Start.Format(time.RFC3339))
			assert.Equal(t, row.tzid, r.Proposal.TZID)
		})
	}
}
