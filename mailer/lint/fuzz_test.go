package lint_test

import (
	"encoding/base64"
	"os"
	"path/filepath"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/invitemailer/invitemailer/mailer/lint"
)

func seed(f *testing.F, pattern string) {
	f.Helper()
	files, err := filepath.Glob(pattern)
	require.NoError(f, err)
	require.NotEmpty(f, files)
	for _, file := range files {
		data, err := os.ReadFile(file)
		require.NoError(f, err)
		f.Add(data)
	}
}

// holds is what every answer must be like, whatever was asked.
func holds(t *testing.T, data []byte) {
	t.Helper()
	previous, err := lint.ReadPrevious(data)
	if err != nil {
		previous = nil
	}
	for _, o := range []lint.Options{{}, {Now: later()}, {Profile: lint.Any},
		{Previous: previous, Now: later(), Profile: lint.Any}} {
		findings := lint.Check(data, o)
		warned := false
		for _, f := range findings {
			warned = warned || f.Level == lint.Warning
			assert.False(t, warned && f.Level == lint.Error, "errors come first")
			assert.True(t, utf8.ValidString(f.What) && utf8.ValidString(f.Where), "%q", f)
			for _, r := range f.What + f.Where {
				assert.True(t, r >= ' ' && r != 0x7f, "%q", f)
			}
			_, known := lint.Explain(f.Rule)
			assert.True(t, known)
		}
		assert.Equal(t, findings, lint.Check(data, o), "the same again")
	}
}

func FuzzCheckMessage(f *testing.F) {
	seed(f, "testdata/*.eml")
	seed(f, "testdata/*/*.eml")
	f.Fuzz(holds)
}

func FuzzCheckCalendar(f *testing.F) {
	seed(f, "testdata/*/*.ics")
	seed(f, "../../cronofy/cronofytest/testdata/*.ics")
	f.Fuzz(func(t *testing.T, data []byte) { holds(t, append([]byte("BEGIN:VCALENDAR\r\n"), data...)) })
}

// A base64 text without its padding holds more octets than one of its length
// with padding would: every length must fit.
func TestUnpaddedBase64OfEveryLength(t *testing.T) {
	t.Parallel()
	text := base64.RawStdEncoding.EncodeToString([]byte("BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n"))
	for n := range len(text) {
		findings := lint.Check([]byte("From: a@b.example\nContent-Type: text/calendar; "+
			"method=REQUEST\nContent-Transfer-Encoding: base64\n\n"+text[:n]), lint.Options{})
		assert.NotEmpty(t, findings)
	}
}
