package sandbox_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/smtp"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/invitemailer/invitemailer/cronofy/cronofytest"
	"github.com/invitemailer/invitemailer/mailer/sandbox"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func start(t testing.TB, o sandbox.Options) *sandbox.Sandbox {
	t.Helper()
	s, err := sandbox.Start(t.Context(), o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

// invite sends the interview and returns the mail.
func invite(t testing.TB, s *sandbox.Sandbox) sandbox.Mail {
	t.Helper()
	m, err := newMailer(s, "")
	require.NoError(t, err)
	_, err = m.Send(t.Context(), interview())
	require.NoError(t, err)
	require.NoError(t, m.Shutdown(context.Background()))
	mails := s.Mails()
	return mails[len(mails)-1]
}

func send(t testing.TB, s *sandbox.Sandbox, to string, data []byte) {
	t.Helper()
	require.NoError(t, smtp.SendMail(s.SMTPAddr(), nil, "ann@example.org", []string{to}, data))
}

// An answer to the organizer changes the status; everything else stays mail, and says why if it
// was meant as an answer.
func TestMailToOrganizer(t *testing.T) {
	t.Parallel()
	s := start(t, sandbox.Options{})
	invitation := invite(t, s)
	reply := func(status string) []byte {
		mail, err := cronofytest.ReplyMail(invitation.Raw, cronofytest.Answer{Status: status})
		require.NoError(t, err)
		return mail
	}
	status := func() string { return s.API().Invites()[0].Recipients[0].Status }

	send(t, s, "HR@acme.example", reply("declined"))
	assert.Equal(t, "declined", status())
	require.Len(t, s.Mails(), 1, "what was read as an answer is no mail")

	send(t, s, "somebody@acme.example", reply("accepted"))
	assert.Equal(t, "declined", status(), "the API gets the organizer's mail only")
	other := strings.ReplaceAll(string(invitation.Raw), "METHOD", "X-METHOD")
	send(t, s, "hr@acme.example", []byte(other))
	send(t, s, "hr@acme.example", []byte("Subject: lunch?\r\n\r\nAt noon?\r\n"))
	send(
		t,
		s,
		"hr@acme.example",
		[]byte(
			"Content-Type: text/calendar; method=REPLY\r\n\r\n"+
				"BEGIN:VCALENDAR\r\nMETHOD:REPLY\r\nBEGIN:VEVENT\r\nUID:none\r\n",
		),
	)
	mails := s.Mails()
	require.Len(t, mails, 5)
	for n, m := range mails[:4] {
		assert.NoError(t, m.Problem, n)
	}
	require.ErrorContains(t, mails[4].Problem, "other_uid")

	require.NoError(
		t,
		s.API().
			Answer(t.Context(), cronofytest.Answer{InviteID: "interview-17", Recipient: "ann@example.org",
				Status: "tentative"}),
	)
	assert.Equal(t, "tentative", status())
}

// Files of an earlier run stay as they are, and numbers go on.
func TestMailFiles(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "new", "mail")
	var seen []string
	for range 2 {
		s := start(t, sandbox.Options{Dir: dir, OnMail: func(m sandbox.Mail) { seen = append(seen, m.ID) }})
		m := invite(t, s)
		onDisk, err := os.ReadFile(m.File)
		require.NoError(t, err)
		assert.Equal(t, m.Raw, onDisk)
		info, err := os.Stat(m.File)
		require.NoError(t, err)
		assert.Equal(t, os.FileMode(0o600), info.Mode().Perm())
		assert.Equal(t, []string{"ann@example.org"}, m.To)
		require.NoError(t, s.Close())
	}
	assert.Equal(t, []string{"1", "2"}, seen)
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	require.NoError(t, err)
	assert.Equal(t, []string{filepath.Join(dir, "000001.eml"), filepath.Join(dir, "000002.eml")}, files)
}

// A full or vanished directory refuses mail for now; nothing that was not kept is said to be taken.
func TestMailCannotBeKept(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := start(t, sandbox.Options{Dir: dir})
	require.NoError(t, os.RemoveAll(dir))
	err := smtp.SendMail(s.SMTPAddr(), nil, "a@example.org", []string{"b@example.org"}, []byte("Subject: x\r\n\r\n"))
	require.ErrorContains(t, err, "452")
	assert.Empty(t, s.Mails())
}

func TestStartFails(t *testing.T) {
	t.Parallel()
	s := start(t, sandbox.Options{})
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	taken := strings.TrimPrefix(s.APIURL(), "http://")
	for name, o := range map[string]sandbox.Options{
		"API address taken":  {APIAddr: taken},
		"SMTP address taken": {SMTPAddr: taken},
		"no address":         {SMTPAddr: "nowhere"},
		"no directory":       {Dir: file},
	} {
		_, err := sandbox.Start(t.Context(), o)
		assert.ErrorContains(t, err, "sandbox: ", name)
	}
}

// Both servers are reached by their addresses, and the key is the one that is accepted.
func TestAddresses(t *testing.T) {
	t.Parallel()
	s := start(t, sandbox.Options{
		APIAddr: ":0", SMTPAddr: "0.0.0.0:0", Pages: http.NotFoundHandler(), API: cronofytest.Options{APIKey: "CRN_x"},
	})
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", s.SMTPAddr())
	require.NoError(t, err)
	require.NoError(t, conn.Close())
	for key, want := range map[string]int{"CRN_x": http.StatusNotFound, "other": http.StatusUnauthorized} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet,
			s.APIURL()+"/v1/smart_invites?smart_invite_id=1&recipient_email=a@b.example", nil)
		require.NoError(t, err)
		r.Header.Set("Authorization", "Bearer "+key)
		r.Close = true
		response, err := http.DefaultClient.Do(r)
		require.NoError(t, err)
		_, err = io.Copy(io.Discard, response.Body)
		require.NoError(t, errors.Join(err, response.Body.Close()))
		assert.Equal(t, want, response.StatusCode)
	}
}

// A sandbox can be closed before its servers have come to serving, and twice.
func TestCloseAtOnce(t *testing.T) {
	t.Parallel()
	for range 50 {
		s := start(t, sandbox.Options{})
		require.NoError(t, s.Close())
	}
}

// Mail from many sides at once is kept once each, under numbers of its own.
func TestConcurrentMail(t *testing.T) {
	t.Parallel()
	s := start(t, sandbox.Options{Dir: t.TempDir()})
	var wg sync.WaitGroup
	for n := range 20 {
		wg.Go(func() {
			err := smtp.SendMail(
				s.SMTPAddr(),
				nil,
				"a@example.org",
				[]string{"b@example.org"},
				fmt.Appendf(nil, "Subject: %d\r\n\r\n", n),
			)
			assert.NoError(t, err)
		})
	}
	wg.Wait()
	subjects := map[string]bool{}
	for _, m := range s.Mails() {
		subjects[string(m.Raw)] = true
	}
	assert.Len(t, subjects, 20)
	assert.True(
		t,
		slices.IsSortedFunc(s.Mails(), func(a, b sandbox.Mail) int { return strings.Compare(a.File, b.File) }),
	)
}

// BenchmarkReplyBySMTP measures one answer from the mail server's greeting to the changed status,
// the connection included.
func BenchmarkReplyBySMTP(b *testing.B) {
	s := start(b, sandbox.Options{})
	invitation := invite(b, s)
	reply, err := cronofytest.ReplyMail(invitation.Raw, cronofytest.Answer{Status: "accepted"})
	require.NoError(b, err)
	b.ReportAllocs()
	for b.Loop() {
		send(b, s, "hr@acme.example", reply)
	}
}

// TestHostIsChecked: a page from elsewhere that points its own name to this machine reaches
// neither the API nor the pages. A sandbox that others may reach is asked for by any name.
func TestHostIsChecked(t *testing.T) {
	t.Parallel()
	pages := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) })
	status := func(s *sandbox.Sandbox, host, path string) int {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.APIURL()+path, nil)
		require.NoError(t, err)
		r.Host = host
		response, err := http.DefaultClient.Do(r)
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
		return response.StatusCode
	}
	here, open := start(t, sandbox.Options{Pages: pages}), start(t, sandbox.Options{Pages: pages, APIAddr: "0.0.0.0:0"})
	for _, host := range []string{"rebound.example.com", "rebound.example.com:80", "localhost.example.com"} {
		assert.Equal(t, http.StatusForbidden, status(here, host, "/v1/smart_invites"))
		assert.Equal(t, http.StatusForbidden, status(here, host, "/"))
		assert.Equal(t, http.StatusTeapot, status(open, host, "/"))
	}
	for _, host := range []string{"", "localhost:80", "127.0.0.1", "[::1]:8090"} {
		assert.Equal(t, http.StatusUnauthorized, status(here, host, "/v1/smart_invites"), host)
		assert.Equal(t, http.StatusTeapot, status(here, host, "/"))
	}
}
