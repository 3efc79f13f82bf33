package sandbox

import (
	"bytes"
	"fmt"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/invitemailer/invitemailer/cronofy/cronofytest"
	"github.com/invitemailer/invitemailer/mailer/submission/submissiontest"
)

// TestNoKeyIsPrinted: those of a sandbox may be a real application's.
func TestNoKeyIsPrinted(t *testing.T) {
	t.Parallel()
	const secret = "hunter2-hunter2"
	api := cronofytest.Options{APIKey: secret}
	mail := submissiontest.Options{Username: secret, Password: secret}
	inbox := submissiontest.NewInbox(mail)
	defer func() { assert.NoError(t, inbox.Close()) }()
	o := Options{APIAddr: "127.0.0.1:0", SMTPAddr: "127.0.0.1:0", API: api}
	s, err := Start(t.Context(), o)
	require.NoError(t, err)
	defer func() { assert.NoError(t, s.Close()) }()
	for _, value := range []any{o, &o, s, api, &api, cronofytest.New(api), mail, &mail, inbox} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
			assert.NotContains(t, fmt.Sprintf(verb, value), secret)
			assert.NotContains(t, fmt.Sprintf(verb, value), fmt.Sprintf("%x", secret))
		}
		var log bytes.Buffer
		slog.New(slog.NewTextHandler(&log, nil)).Info("", "value", value)
		slog.New(slog.NewJSONHandler(&log, nil)).Info("", "value", value)
		assert.NotContains(t, log.String(), secret)
	}
}
