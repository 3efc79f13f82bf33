package cronofytest_test

import (
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/invitemailer/invitemailer/cronofy/cronofytest"
)

// Whatever is mailed, the simulator lives, changes only what an answer may change, and calls each
// refusal by its name.
func FuzzReply(f *testing.F) {
	s := cronofytest.New(cronofytest.Options{Now: noon})
	_, text := create(f, s, documented)
	uid := s.Invites()[0].UID
	mail, err := cronofytest.ReplyMail(
		invitation(text),
		cronofytest.Answer{Status: "tentative", Comment: "Grüße", At: noon(), Proposal: &cronofytest.Proposal{
			Start: noon(), End: noon().Add(time.Hour), TZID: "America/New_York"}},
	)
	require.NoError(f, err)
	f.Add(mail)
	f.Add(wire(plain, replyText("REPLY", uid, accepts)))
	f.Add(
		wire(
			"Content-Type: multipart/mixed; boundary=b",
			"--b\r\n"+plain+"\r\n\r\n"+replyText("COUNTER", uid, accepts, "DTSTART:00010101T000000", "DURATION:P999W"),
		),
	)
	f.Fuzz(func(t *testing.T, mail []byte) {
		s := cronofytest.New(cronofytest.Options{Now: noon})
		create(t, s, documented)
		err := s.Reply(t.Context(), mail)
		if err != nil {
			require.ErrorContains(t, err, "reply is ignored (")
		}
		i := s.Invites()[0]
		require.Len(t, i.Recipients, 1)
		require.LessOrEqual(t, len(i.Replies), 1)
		if err != nil {
			require.Empty(t, i.Replies)
		} else {
			require.Contains(t, []string{"accepted", "tentative", "declined"}, i.Replies[0].Status)
		}
		code, _ := status(
			t,
			s,
			map[string][]string{"smart_invite_id": {id}, "recipient_email": {email}, "include_ics": {"true"}},
		)
		require.Equal(t, 200, code)
		_, _ = cronofytest.ReplyMail(mail, cronofytest.Answer{Status: "accepted", At: noon()})
	})
}

// BenchmarkReply measures one answer by mail, from its bytes to the state changed.
func BenchmarkReply(b *testing.B) {
	s := cronofytest.New(cronofytest.Options{Now: noon})
	_, text := create(b, s, documented)
	var mails [][]byte
	for n := range 2 {
		mail, err := cronofytest.ReplyMail(
			invitation(text),
			cronofytest.Answer{Status: "declined", Comment: strconv.Itoa(n), At: noon()})
		require.NoError(b, err)
		mails = append(mails, mail)
	}
	b.ReportAllocs()
	for n := 0; b.Loop(); n++ {
		if err := s.Reply(b.Context(), mails[n%2]); err != nil {
			b.Fatal(err)
		}
	}
}
