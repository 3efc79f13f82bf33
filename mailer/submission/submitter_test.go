package submission_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/invitemailer/invitemailer/mailer/submission"
	"github.com/invitemailer/invitemailer/mailer/submission/submissiontest"
)

var envelope = submission.Envelope{From: "boss@example.com", To: "guest@example.org"}

const letter = "From: boss@example.com\r\nTo: guest@example.org\r\nSubject: Board meeting\r\n" +
	"\r\nSee you there.\r\n.\r\n..\r\n"

// newSubmitter fails the test when cfg is not good, and closes in the end.
func newSubmitter(t testing.TB, cfg submission.Config) *submission.Submitter {
	t.Helper()
	if cfg.Host == "" {
		cfg.Host = "localhost"
	}
	if cfg.TLS == "" {
		cfg.TLS = submission.TLSNone
	}
	s, err := submission.New(cfg)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, s.Shutdown(context.Background())) })
	return s
}

func newInbox(t testing.TB, o submissiontest.Options) *submissiontest.Inbox {
	t.Helper()
	inbox := submissiontest.NewInbox(o)
	t.Cleanup(func() { assert.NoError(t, inbox.Close()) })
	return inbox
}

func TestSubmitDeliversTheExactBytes(t *testing.T) {
	t.Parallel()
	inbox := newInbox(t, submissiontest.Options{})
	s := newSubmitter(t, submission.Config{Dial: inbox.Dial})

	for range 2 {
		got := s.Submit(t.Context(), envelope, []byte(letter))
		require.NoError(t, got.Err)
		assert.Equal(t, submission.Accepted, got.Outcome)
		assert.Equal(t, submission.StepDot, got.Step)
		assert.Equal(t, 250, got.Code)
		assert.Equal(t, "2.0.0", got.EnhancedCode)
		assert.Equal(t, "250 2.0.0 OK: queued", got.Reply)
	}
	messages := inbox.Messages()
	require.Len(t, messages, 2)
	want := submissiontest.Message{
		From: envelope.From,
		To:   []string{envelope.To},
		Data: []byte(letter),
		Size: int64(len(letter)),
	}
	assert.Equal(t, want, messages[0])
	assert.Equal(t, want, messages[1])
}
