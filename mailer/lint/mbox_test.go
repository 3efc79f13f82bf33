package lint_test

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/invitemailer/invitemailer/mailer/lint"
)

const separator = "From ada@example.com Thu Apr  1 12:00:00 2027\n"

func messages(t testing.TB, r io.Reader) []string {
	t.Helper()
	var all []string
	for m, err := range lint.Messages(r) {
		require.NoError(t, err)
		all = append(all, string(m))
	}
	return all
}

// However a file holds its messages, each comes out as it went in.
func TestMessages(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		in   string
		want []string
	}{
		"a message":      {"Subject: x\r\n\r\nhello\r\n", []string{"Subject: x\r\n\r\nhello\r\n"}},
		"a calendar":     {"BEGIN:VCALENDAR\nEND:VCALENDAR", []string{"BEGIN:VCALENDAR\nEND:VCALENDAR"}},
		"nothing":        {"", []string{""}},
		"one in an mbox": {separator + "Subject: x\n\nhello\n\n", []string{"Subject: x\n\nhello\n"}},
		"two": {separator + "A: 1\n\nx\n\n" + separator + "B: 2\n\ny\n",
			[]string{"A: 1\n\nx\n", "B: 2\n\ny\n"}},
		"CRLF": {"From a@b Thu Apr  1 12:00:00 2027\r\nA: " +
			"1\r\n\r\nx\r\n\r\nFrom a@b Thu Apr  1 12:00:00 2027\r\nB: 2\r\n",
			[]string{"A: 1\r\n\r\nx\r\n", "B: 2\r\n"}},
		"From in the text": {separator + "A: 1\n\nFrom here\n\nFrom there\n",
			[]string{"A: 1\n\nFrom here\n\nFrom there\n"}},
		"quoted From": {separator + "A: 1\n\n>From here\n>>From there\n> From\n",
			[]string{"A: 1\n\nFrom here\n>From there\n> From\n"}},
		"no empty line before it": {separator + "A: 1\n\nx\n" + separator, []string{"A: 1\n\nx\n" + separator}},
		"a message with From":     {"A: 1\n\n" + separator, []string{"A: 1\n\n" + separator}},
		"no last line end":        {separator + "A: 1\n\nx", []string{"A: 1\n\nx"}},
		"a line beyond the buffer": {separator + "A: " + strings.Repeat("x", 200_000) + "\n\ny\n",
			[]string{"A: " + strings.Repeat("x", 200_000) + "\n\ny\n"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, tc.want, messages(t, strings.NewReader(tc.in)))
			assert.Equal(t, tc.want, messages(t, iotest.OneByteReader(strings.NewReader(tc.in))))
		})
	}
}

var block = strings.Repeat("x: yyyy\n", 4096)

// endless yields n octets of text without holding them.
type endless struct{ n int }

func (e *endless) Read(p []byte) (int, error) {
	if e.n == 0 {
		return 0, io.EOF
	}
	n := copy(p[:min(e.n, len(p))], block)
	e.n -= n
	return n, nil
}

// Of a message that is too long, no more is kept than it takes to know so, and the next one is read
// all the same.
func TestMessagesAreBounded(t *testing.T) {
	t.Parallel()
	r := io.MultiReader(strings.NewReader(separator), &endless{n: 24 << 20}, strings.NewReader("\n"+separator+"B: 2\n"))
	all := messages(t, r)
	require.Len(t, all, 2)
	assert.Len(t, all[0], lint.MaxSize+1)
	assert.Equal(t, "B: 2\n", all[1])
	assert.Equal(t, "IM00 error", summary(lint.Check([]byte(all[0]), lint.Options{})))
}

func TestMessagesReportErrors(t *testing.T) {
	t.Parallel()
	broken := errors.New("disk on fire")
	n := 0
	var last error
	for m, err := range lint.Messages(io.MultiReader(strings.NewReader("A: 1\n"), iotest.ErrReader(broken))) {
		if n++; n == 1 {
			assert.Equal(t, "A: 1\n", string(m))
		}
		last = err
	}
	assert.Equal(t, 2, n)
	require.ErrorIs(t, last, broken)

	for _, err := range lint.Messages(strings.NewReader(separator + "A: 1\n\n" + separator + "B: 2\n")) {
		require.NoError(t, err)
		break // must not go on
	}
}

func FuzzMessages(f *testing.F) {
	f.Add([]byte(separator + "A: 1\n\n>From x\n\n" + separator + "\n\n"))
	f.Add([]byte("From \n"))
	f.Add([]byte("\r\n\r\nFrom a b c d 1:1\r\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		total := 0
		for m, err := range lint.Messages(bytes.NewReader(data)) {
			require.NoError(t, err)
			total += len(m)
		}
		assert.LessOrEqual(t, total, len(data))
	})
}
