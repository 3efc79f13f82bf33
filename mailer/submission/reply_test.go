package submission

import (
	"bufio"
	"errors"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestReadReply(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"250 2.0.0 Ok: queued as X\r\n": "250 2.0.0 Ok: queued as X",
		"250\r\n":                       "250",
		"\r\n\n250 Ok\r\n":              "250 Ok",
		"250 \n":                        "250",
		"550-5.1.1 No such\r\n550 5.1.1 user\r\n":  "550 5.1.1 No such user",
		"550 2.1.5 contradictory\r\n":              "550 2.1.5 contradictory",
		"550 5.1 not enhanced\r\n":                 "550 5.1 not enhanced",
		"250 tab\there \x1b[31m\u202ered\r\n":      `250 tab here \x1b[31m\u202ered`,
		"250 " + strings.Repeat("é", 400) + "\r\n": "250 " + strings.Repeat("é", 148),
	} {
		r, err := readReply(bufio.NewReader(strings.NewReader(in)), nil)
		require.NoError(t, err, in)
		assert.Equal(t, want, r.line())
	}
	for _, in := range []string{"2x0 Ok\r\n", "25\r\n", "199 x\r\n", "600 x\r\n", "250_x\r\n",
		"250-a\r\n251 b\r\n", " \r\n250 x\r\n", "250-a\r\n\r\n250 b\r\n", strings.Repeat("\r\n", 200) + "250 x\r\n",
		"250 " + strings.Repeat("x", 5000) + "\r\n", strings.Repeat("250-x\r\n", 200)} {
		_, err := readReply(bufio.NewReader(strings.NewReader(in)), nil)
		assert.ErrorIs(t, err, errOutOfStep, "%.20q", in)
	}
	_, err := readReply(bufio.NewReader(strings.NewReader("250 never finished")), nil)
	require.Error(t, err)
	assert.False(t, errors.Is(err, errOutOfStep))
}

// Whatever a server sends, what is kept of it is short, printable and one line.
func FuzzReadReply(f *testing.F) {
	f.Add([]byte("250-2.0.0 a\r\n250 2.0.0 b\r\n"))
	f.Add([]byte("550 \xff\xfe\x00\r\n"))
	f.Fuzz(func(t *testing.T, in []byte) {
		r, err := readReply(bufio.NewReader(strings.NewReader(string(in))), []string{"secret-word"})
		line := r.line()
		assert.LessOrEqual(t, len(line), maxReplyText)
		assert.True(t, utf8.ValidString(line))
		assert.NotContains(t, line, "secret-word")
		for _, c := range line {
			assert.True(t, unicode.IsGraphic(c) || c == '\u200c' || c == '\u200d', "%q", c)
		}
		if err == nil {
			assert.True(t, r.code >= 200 && r.code <= 599)
		}
	})
}

// Whatever a server offers, what is taken of it is in upper case, and each
// mechanism once.
func FuzzReadExtensions(f *testing.F) {
	f.Add("size 10\nauth plain LOGIN\nAUTH=LOGIN\nstarttls\npipelining\n8bitmime\nsmtputf8")
	f.Add("SIZE=-1\nAUTH\n=\n\t")
	f.Fuzz(func(t *testing.T, lines string) {
		ext := readExtensions(strings.Split(lines, "\n"))
		seen := make(map[string]bool)
		for _, mechanism := range ext.mechanism {
			assert.False(
				t,
				seen[mechanism] || mechanism == "" || strings.ContainsAny(mechanism, " \n"),
				"%q",
				ext.mechanism,
			)
			seen[mechanism] = true
		}
		assert.Equal(
			t,
			ext,
			readExtensions(strings.Split(lines+"\nX-OTHER AUTH PLAIN", "\n")),
			"what is not known changes nothing",
		)
		if !strings.ContainsFunc(lines, func(r rune) bool { return r >= utf8.RuneSelf }) {
			assert.Equal(t, ext, readExtensions(strings.Split(strings.ToLower(lines), "\n")), "in any case")
		}
	})
}

func TestReadExtensions(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]extensions{
		"":                                {},
		"SIZE 35882577":                   {size: true, maxSize: 35882577},
		"size":                            {size: true},
		"SIZE=1000":                       {size: true, maxSize: 1000},
		"SIZE 1000 octets":                {size: true, maxSize: 1000},
		"AUTH=LOGIN":                      {mechanism: []string{"LOGIN"}},
		"AUTH LOGIN PLAIN\nAUTH=LOGIN":    {mechanism: []string{"LOGIN", "PLAIN"}},
		"auth\tscram-sha-256":             {mechanism: []string{"SCRAM-SHA-256"}},
		"AUTHENTICATE PLAIN\nXAUTH PLAIN": {},
		"pipelining\n8BitMime\nSmtpUtf8\nstarttls": {pipelining: true, eightBit: true, utf8: true, startTLS: true},
	} {
		assert.Equal(t, want, readExtensions(strings.Split(in, "\n")), in)
	}
}
