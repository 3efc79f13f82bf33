package submission

import (
	"bufio"
	"context"
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/wneessen/go-mail/smtp"
)

// begun is a SCRAM exchange whose first message has left, with the nonce in it.
func begun(t *testing.T) (s *scram, nonce string) {
	t.Helper()
	s = &scram{username: "user", password: "pencil"}
	name, initial, err := s.Start(nil)
	require.NoError(t, err)
	assert.Equal(t, "SCRAM-SHA-256", name)
	nonce, ok := strings.CutPrefix(string(initial), "n,,n=user,r=")
	require.True(t, ok, "%s", initial)
	return s, nonce
}

// firstMessage is the server's, if it knows the nonce.
const firstMessage = "r=NONCE%hvYDp,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"

// sign is what the server's last message must be (RFC 5802 section 3).
func sign(t *testing.T, nonce, first string) string {
	t.Helper()
	salt, err := base64.StdEncoding.DecodeString("W22ZaJ0SNY7soEsUEjb6gQ==")
	require.NoError(t, err)
	salted, err := pbkdf2.Key(sha256.New, "pencil", salt, 4096, sha256.Size)
	require.NoError(t, err)
	message := "n=user,r=" + nonce + "," + first + ",c=biws,r=" + nonce + "%hvYDp"
	return "v=" + base64.StdEncoding.EncodeToString(mac(mac(salted, "Server Key"), message))
}

func mac(key []byte, message string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(message))
	return h.Sum(nil)
}

// A server that does not show the right signature at the right place does not know the password,
// and is not logged in to.
func TestSCRAMWantsTheServersSignature(t *testing.T) {
	t.Parallel()
	// What a server can work out that knows nothing: see the zero keys of a client that has none yet.
	empty := "v=" + base64.StdEncoding.EncodeToString(mac(mac(nil, "Server Key"), ""))
	wrong := "v=" + base64.StdEncoding.EncodeToString(make([]byte, 32))
	for _, tc := range []struct {
		name       string
		err        error
		challenges []string
	}{
		{"right", nil, []string{firstMessage, "SIGNATURE"}},
		{"right, with extensions", nil, []string{firstMessage + ",x=1,y=2", "SIGNATURE"}},
		{"none at all", errUnproven, nil},
		{"after the first message", errUnproven, []string{firstMessage}},
		{"wrong", errUnproven, []string{firstMessage, wrong}},
		{"empty", errUnproven, []string{firstMessage, "v="}},
		{"one octet short", errUnproven, []string{firstMessage, "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95A=="}},
		{"error, and then success", errUnproven, []string{firstMessage, "e=invalid-proof"}},
		{"before any key is made", errScramSyntax, []string{empty}},
		{"no base64", errUnproven, []string{firstMessage, "v=?"}},
		{"something else", errScramSyntax, []string{firstMessage, "x=1"}},
		{"an empty challenge", errScramSyntax, []string{""}},
		{"another first message", errScramSyntax, []string{firstMessage, firstMessage}},
		{"empty, between", errScramSyntax, []string{firstMessage, "", "SIGNATURE"}},
		{"more after the last", errScramSyntax, []string{firstMessage, "SIGNATURE", "SIGNATURE"}},
		{"another nonce", errScramSyntax, []string{"r=other" + firstMessage[2:]}},
		{"a mandatory extension", errScramSyntax, []string{"m=x," + firstMessage}},
		{"fields missing", errScramSyntax, []string{"r=NONCEx,s=W22ZaJ0SNY7soEsUEjb6gQ=="}},
		{"fields in another order", errScramSyntax, []string{"s=W22ZaJ0SNY7soEsUEjb6gQ==,r=NONCEx,i=4096"}},
		{"iterations in front", errScramSyntax, []string{"r=NONCEx,i=1,s=AAAA,i=60000000"}},
		{"salt that is no base64", errScramSyntax, []string{"r=NONCEx,s=!,i=4096"}},
		{"no iterations", errScramSyntax, []string{"r=NONCEx,s=AAAA,i=0"}},
		{"negative iterations", errScramSyntax, []string{"r=NONCEx,s=AAAA,i=-1"}},
		{"60 million iterations", errIterations, []string{"r=NONCEx,s=AAAA,i=60000000"}},
		{"one iteration too many", errIterations, []string{"r=NONCEx,s=AAAA,i=2000001"}},
		{"more than fits into 64 bit", errIterations, []string{"r=NONCEx,s=AAAA,i=99999999999999999999"}},
	} {
		s, nonce := begun(t)
		var err error
		first := ""
		for i, c := range tc.challenges {
			c = strings.ReplaceAll(c, "NONCE", nonce)
			if i == 0 {
				first = c
			}
			if c == "SIGNATURE" {
				c = sign(t, nonce, first)
			}
			if _, err = s.Next([]byte(c), true); err != nil {
				break
			}
		}
		if err == nil {
			_, err = s.Next([]byte("Welcome"), false)
		}
		require.ErrorIs(t, err, tc.err, tc.name)
		if err != nil {
			assert.NotContains(t, err.Error(), nonce)
		}
	}
}

func TestSCRAMEscapesAndRefusesNames(t *testing.T) {
	t.Parallel()
	s := &scram{username: "a=b,c", password: "pencil"}
	_, initial, err := s.Start(nil)
	require.NoError(t, err)
	assert.Contains(t, string(initial), "n,,n=a=3Db=2Cc,r=")
	for _, s := range []*scram{{username: "tab\there", password: "pencil"}, {username: "user", password: "tab\there"}} {
		_, _, err = s.Start(nil)
		require.ErrorIs(t, err, errScramText)
	}
}

// A login with such a server fails as a setting does: nothing is sent, and the
// error says what it was.
func TestLoginWithAServerThatProvesNothing(t *testing.T) {
	t.Parallel()
	encode := func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }
	for name, tc := range map[string]struct {
		answer func(line int, nonce string) string
		err    error
	}{
		"235 at once": {func(int, string) string { return "235 2.7.0 Welcome" }, errUnproven},
		"235 unproven": {func(n int, nonce string) string {
			return []string{"334 " + encode("r="+nonce+"x,s=AAAA,i=4096"), "235 Welcome"}[n]
		}, errUnproven},
		"too much work": {func(_ int,
			nonce string) string {
			return "334 " + encode("r="+nonce+"x,s=AAAA,i=60000000")
		}, errIterations},
		"signature on it": {func(_ int, nonce string) string { return "235 " + encode("v="+nonce) }, errUnproven},
	} {
		synctest.Test(t, func(t *testing.T) {
			got := submitScripted(t, AuthAuto, tc.answer)
			assert.Equal(t, NotBegun, got.Outcome, name)
			assert.Equal(t, StepLogin, got.Step, name)
			assert.True(t, got.Config, name)
			require.ErrorIs(t, got.Err, tc.err, name)
		})
	}
	synctest.Test(t, func(t *testing.T) { // a refusal that the mechanism announces is the server's
		got := submitScripted(t, AuthAuto, func(n int, nonce string) string {
			return []string{"334 " + encode("r="+nonce+"x,s=AAAA,i=4096"), "334 " + encode("e=invalid-proof"),
				"535 5.7.8 No"}[n]
		})
		assert.Equal(t, Refused, got.Outcome)
		assert.Equal(t, 535, got.Code)
		assert.True(t, got.Config)
	})
}

// A login whose password is being hashed ends with its context, and the server is not to blame.
func TestLoginEndsWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, stop := context.WithCancelCause(t.Context())
	stopped := errors.New("stopped")
	hashing := make(chan struct{})
	defer close(hashing)
	_, err := next(ctx, slowAuth{begun: func() { stop(stopped) }, end: hashing}, nil, true)
	require.ErrorIs(t, err, stopped)
}

// slowAuth answers no challenge before its end.
type slowAuth struct {
	smtp.Auth
	begun func()
	end   <-chan struct{}
}

func (a slowAuth) Next([]byte, bool) ([]byte, error) {
	a.begun()
	<-a.end
	return nil, nil
}

// A server cannot keep a login going for ever.
func TestLoginWithoutEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		got := submitScripted(t, AuthXOAUTH2, func(int, string) string { return "334 " })
		assert.Equal(t, NotBegun, got.Outcome)
		require.ErrorIs(t, got.Err, errOutOfStep)
	})
}

// submitScripted submits to a scripted server.
func submitScripted(t *testing.T, auth AuthMode, answer func(line int, nonce string) string) Result {
	t.Helper()
	s, err := New(
		Config{
			Host:     "localhost",
			TLS:      TLSNone,
			Username: "boss",
			Password: "pencil",
			Auth:     auth,
			Dial: func(context.Context, string, string) (net.Conn, error) {
				client, server := net.Pipe()
				go scripted(server, answer)
				return client, nil
			},
		},
	)
	require.NoError(t, err)
	defer func() { assert.NoError(t, s.Shutdown(t.Context())) }()
	return s.Submit(t.Context(), Envelope{From: "boss@example.com", To: "guest@example.org"}, []byte("Hi\r\n"))
}

// scripted is a server that answers each line of a login as it is told: with
// the number of the line, and the nonce of the client.
func scripted(conn net.Conn, answer func(line int, nonce string) string) {
	defer func() { _ = conn.Close() }()
	say := func(line string) { _, _ = fmt.Fprint(conn, line+"\r\n") }
	say("220 scripted.example")
	lines, n, nonce := bufio.NewScanner(conn), 0, ""
	for lines.Scan() {
		if strings.HasPrefix(lines.Text(), "EHLO") {
			say("250-scripted.example\r\n250 AUTH SCRAM-SHA-256 XOAUTH2")
			continue
		}
		if initial, ok := strings.CutPrefix(lines.Text(), "AUTH SCRAM-SHA-256 "); ok {
			raw, _ := base64.StdEncoding.DecodeString(initial)
			_, nonce, _ = strings.Cut(string(raw), ",r=")
		}
		say(answer(n, nonce))
		n++
	}
}

// Whatever a server sends, it is not logged in to without its signature, and
// costs no more than it may.
func FuzzSCRAM(f *testing.F) {
	f.Add("%hvYDp,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096", "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=")
	f.Add(",s=AAAA,i=1", "v=")
	f.Fuzz(func(t *testing.T, first, final string) {
		s, nonce := begun(t)
		_, err := s.Next([]byte("r="+nonce+first), true)
		if err == nil {
			_, err = s.Next([]byte(final), true)
		}
		if err == nil {
			_, err = s.Next(nil, false)
		}
		assert.Error(t, err, "nobody guesses a signature")
	})
}
