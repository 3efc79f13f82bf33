package mailer_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"io"
	"net/http"
	"net/smtp"
	"net/url"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// mailhogMessage is one message as MailHog received it.
type mailhogMessage struct {
	ID  string
	Raw struct {
		From string   // the envelope's sender
		To   []string // the envelope's recipients
		// Data is the message, dot-stuffing undone, without the CRLF before the
		// final dot. Bytes that are not UTF-8 arrive as U+FFFD: the API is JSON.
		Data string
	}
}

// startMailHog returns where a MailHog listens: its SMTP address and the base URL
// of its HTTP API.
//
// It is the one that MAILHOG_SMTP and MAILHOG_API name, which may hold the mail of
// others, so a test writes to a [newMailhogRecipient] and reads with
// [mailhogMessagesTo]. Without them it is the program in testdata/mailhog, which ends
// with the test.
func startMailHog(t testing.TB) (smtpAddr, api string) {
	t.Helper()
	smtpAddr, api = os.Getenv("MAILHOG_SMTP"), os.Getenv("MAILHOG_API")
	switch {
	case smtpAddr != "" && api != "":
		return smtpAddr, strings.TrimSuffix(api, "/")
	case smtpAddr != "" || api != "":
		t.Fatalf("MAILHOG_SMTP=%q and MAILHOG_API=%q: "+
			"set both, for example 127.0.0.1:1025 and http://127.0.0.1:8025, or neither",
			smtpAddr, api)
	}

	// go run keeps the built program in the build cache: only the first test waits
	// for a build. Without cancellation: that would kill the program before the
	// cleanup below can end it in order.
	program := exec.CommandContext(context.WithoutCancel(t.Context()), "go", "run", ".")
	program.Dir = "../testdata/mailhog"
	program.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=-buildvcs=false")
	var stderr bytes.Buffer
	program.Stderr = &stderr
	stdin, err := program.StdinPipe()
	require.NoError(t, err)
	stdout, err := program.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, program.Start())
	// The program ends when its standard input does, even if this test dies first.
	stop := func() error {
		_ = stdin.Close()
		return program.Wait()
	}

	lines := bufio.NewScanner(stdout)
	for (smtpAddr == "" || api == "") && lines.Scan() {
		switch name, value, _ := strings.Cut(lines.Text(), "="); name {
		case "smtp":
			smtpAddr = value
		case "api":
			api = value
		}
	}
	if smtpAddr == "" || api == "" {
		t.Fatalf("testdata/mailhog did not start: %v\n%s"+
			"its modules are downloaded once; without a network, start a MailHog and set MAILHOG_SMTP and MAILHOG_API",
			stop(), &stderr)
	}
	t.Cleanup(func() { assert.NoErrorf(t, stop(), "MailHog's end: %s", &stderr) })
	return smtpAddr, api
}

// mailhogMessages returns everything that MailHog holds, oldest first.
func mailhogMessages(t testing.TB, api string) []mailhogMessage {
	t.Helper()
	return mailhogPages(t, api+"/api/v2/messages?")
}

// mailhogMessagesTo returns what MailHog holds for one envelope recipient, oldest
// first. MailHog stores a message before it accepts it, so there is nothing to wait
// for.
func mailhogMessagesTo(t testing.TB, api, recipient string) []mailhogMessage {
	t.Helper()
	found := mailhogPages(t, api+"/api/v2/search?kind=to&query="+url.QueryEscape(recipient)+"&")
	// MailHog finds the text within longer addresses and in headers as well.
	return slices.DeleteFunc(found, func(m mailhogMessage) bool {
		return !slices.Contains(m.Raw.To, recipient)
	})
}

// newMailhogRecipient returns an address that nobody else uses. What MailHog holds
// for it is deleted when the test ends, and nothing else is.
func newMailhogRecipient(t testing.TB, api string) string {
	t.Helper()
	recipient := strings.ToLower(rand.Text()) + "@example.com"
	t.Cleanup(func() {
		for _, m := range mailhogMessagesTo(t, api, recipient) {
			mailhogCall(t, http.MethodDelete, api+"/api/v1/messages/"+url.PathEscape(m.ID))
		}
	})
	return recipient
}

// mailhogPages reads a list page by page. MailHog's pages are newest first and hold
// at most 250 messages.
func mailhogPages(t testing.TB, listURL string) []mailhogMessage {
	t.Helper()
	var all []mailhogMessage
	for {
		var page struct {
			Total int
			Items []mailhogMessage
		}
		body := mailhogCall(t, http.MethodGet, listURL+"limit=250&start="+strconv.Itoa(len(all)))
		require.NoErrorf(t, json.Unmarshal(body, &page), "MailHog's answer: %.200s", body)
		all = append(all, page.Items...)
		// MailHog answers a start at the very end with a message it gave before: go by the total.
		if len(page.Items) == 0 || len(all) >= page.Total {
			slices.Reverse(all)
			return all
		}
	}
}

func mailhogCall(t testing.TB, method, callURL string) []byte {
	t.Helper()
	// Cleanups call this too, when t.Context() is done already.
	request, err := http.NewRequestWithContext(context.WithoutCancel(t.Context()), method, callURL, http.NoBody)
	require.NoError(t, err)
	// No kept connections: their goroutines would outlive the test.
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Do(request)
	require.NoError(t, err)
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	require.Equalf(t, http.StatusOK, response.StatusCode, "%s %s: %.200s", method, callURL, body)
	return body
}

// What the integration tests read back must be what was submitted, byte for byte:
// every statement they make about a message rests on it.
func TestMailHogReturnsWhatWasSubmitted(t *testing.T) {
	t.Parallel()
	smtpAddr, api := startMailHog(t)
	recipient, other := newMailhogRecipient(t, api), newMailhogRecipient(t, api)
	const sender = "organizer@example.com"
	message := "From: <" + sender + ">\r\nTo: <" + recipient + ">\r\nSubject: dots\r\n\r\n" +
		".a line that begins with a dot\r\n" +
		".\r\n" +
		"..\r\n" +
		strings.Repeat("x", 998) + "\r\n" +
		"Grüße, 東京\r\n" +
		"\r\n"

	require.NoError(t, smtp.SendMail(smtpAddr, nil, sender, []string{recipient}, []byte(message)))
	require.NoError(t, smtp.SendMail(smtpAddr, nil, sender, []string{other}, []byte(message)))

	messages := mailhogMessagesTo(t, api, recipient)
	require.Len(t, messages, 1, "messages to the recipient alone")
	assert.Equal(t, sender, messages[0].Raw.From)
	assert.Equal(t, []string{recipient}, messages[0].Raw.To)
	assert.Equal(t, strings.TrimSuffix(message, "\r\n"), messages[0].Raw.Data)
	assert.Contains(t, mailhogMessages(t, api), messages[0], "the list of everything")
}

// More messages than one page holds must all be found, each once, in the order in
// which they came.
func TestMailHogPagesAreJoined(t *testing.T) {
	t.Parallel()
	smtpAddr, api := startMailHog(t)
	recipient := newMailhogRecipient(t, api)
	client, err := smtp.Dial(smtpAddr)
	require.NoError(t, err)
	defer func() { _ = client.Close() }()
	var want []string
	for i := range 251 {
		message := "Subject: " + strconv.Itoa(i) + "\r\n\r\n"
		want = append(want, strings.TrimSuffix(message, "\r\n"))
		require.NoError(t, client.Mail("organizer@example.com"))
		require.NoError(t, client.Rcpt(recipient))
		content, err := client.Data()
		require.NoError(t, err)
		_, err = io.WriteString(content, message)
		require.NoError(t, err)
		require.NoError(t, content.Close())
	}

	var got []string
	for _, m := range mailhogMessagesTo(t, api, recipient) {
		got = append(got, m.Raw.Data)
	}
	assert.Equal(t, want, got)
}
