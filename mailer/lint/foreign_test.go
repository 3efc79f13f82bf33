package lint_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/invitemailer/invitemailer/mailer/lint"
)

// A linter that fails every invitation of the large senders would be ignored. These are shaped as
// theirs are: the warnings are what is known of them, and everything else would be a mistake of
// ours.
func TestLargeSendersPass(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		// The attached copy ends its lines in LF.
		"google.eml":   "",
		"exchange.eml": "IM03 warning, IM07 warning, IM24 warning, IM47 warning",
		"teams.eml":    "IM03 warning, IM07 warning, IM24 warning, IM47 warning",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			data := good(t, filepath.Join("foreign", name))
			o := lint.Options{Now: later(), Profile: lint.Any}
			for how, text := range map[string]string{
				"as sent":         data,
				"stored with LF":  strings.ReplaceAll(data, "\r\n", "\n"),
				"from an mbox":    "From zoe@example.com Thu Apr  1 12:00:00 2027\r\n" + data,
				"without a clock": data,
			} {
				if how == "without a clock" {
					o.Now = time.Time{}
				}
				findings := lint.Check([]byte(text), o)
				assert.Equal(t, want, summary(findings), "%s: %s", how, list(findings))
			}
		})
	}
}

// Invitations that are known not to work, rebuilt after their shape, fail for the reasons that are
// known.
func TestKnownFailuresFail(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct{ known, all string }{
		// The outer boundary is not the one declared, the calendar is base64 labelled 7bit, and
		// much is missing from it.
		"calconnect-shape.eml": {
			known: "IM09 IM22 IM28 IM30 IM31 IM32 IM33 IM45",
			all:   "IM09 error, IM22 error, IM28 error, IM30 error, IM31 error, IM32 error, IM33 error, IM45 error",
		},
		"rfc6047-4.2.eml": {
			known: "IM09 IM36",
			all: "IM03 warning, IM06 warning, IM07 warning, IM09 error, IM17 warning, IM35 " +
				"warning, IM36 error, IM57 warning, IM58 error, " +
				"IM58 warning",
		},
		"cancel-single-event-shape.eml": {
			known: "IM09 IM28 IM43 IM44 IM58",
			all:   "IM06 warning, IM07 warning, IM09 error, IM28 error, IM43 error, IM44 error, IM58 warning",
		},
		"couchers-shape.ics":         {known: "IM28 IM30 IM31", all: "IM28 error, IM30 error, IM31 error"},
		"request-cancelled.ics":      {known: "IM41", all: "IM41 error"},
		"easyappointments-shape.eml": {known: "IM01", all: "IM01 error, IM07 warning"},
		"calcom-cancel-shape.eml":    {known: "IM41", all: "IM41 error"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			data := []byte(good(t, filepath.Join("broken", name)))
			own := lint.Check(data, lint.Options{Now: later()})
			for rule := range strings.FieldsSeq(tc.known) {
				assert.Contains(t, summary(own), rule, list(own))
			}
			foreign := lint.Check(data, lint.Options{Now: later(), Profile: lint.Any})
			assert.Equal(t, tc.all, summary(foreign), list(foreign))
		})
	}
	files, err := os.ReadDir("testdata/broken")
	require.NoError(t, err)
	assert.Len(t, files, 7)
}
