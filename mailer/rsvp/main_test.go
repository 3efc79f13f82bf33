package rsvp

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/invitemailer/invitemailer/cronofy"
	"github.com/invitemailer/invitemailer/mailer/ledger"
	"github.com/invitemailer/invitemailer/mailer/ledger/sqlite"
)

func TestMain(m *testing.M) {
	if path := os.Getenv(childLedger); path != "" {
		os.Exit(serveUntilKilled(path))
	}
	goleak.VerifyTestMain(m)
}

var _ RefreshStore = (*sqlite.Ledger)(nil)

const secret = "CRN_NggYusqPGLxwjw5FHOJYOqSrTPNXy8WQf14OID"

var (
	anna = ledger.Key{InviteID: "board-meeting", Address: "anna@example.com"}
	now  = time.Date(2027, 4, 1, 9, 0, 0, 0, time.UTC)
)

// invite records that invitations left.
func invite(t testing.TB, l *sqlite.Ledger, grouped bool, keys ...ledger.Key) {
	t.Helper()
	claim, err := l.Claim(t.Context(), keys...)
	require.NoError(t, err)
	made := make([]ledger.NewRevision, 0, len(keys))
	for _, key := range keys {
		made = append(made, ledger.NewRevision{
			Key: key, Recipient: key.Address, Grouped: grouped, EndsAt: now.Add(24 * time.Hour),
			Revision: ledger.Revision{Kind: "invitation", Method: "request", State: ledger.Sent,
				MessageID: "1@example.com", UID: "1"},
		})
	}
	require.NoError(t, l.Create(t.Context(), claim, made...))
	require.NoError(t, l.Release(t.Context(), claim))
}

func inMemory(t testing.TB) *sqlite.Ledger {
	t.Helper()
	l, err := sqlite.Open(t.Context(), sqlite.Options{Memory: true})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, l.Shutdown(context.Background())) })
	invite(t, l, false, anna)
	return l
}

func history(t testing.TB, l *sqlite.Ledger, key ledger.Key) []ledger.RSVP {
	t.Helper()
	all, err := l.RSVPs(t.Context(), key)
	require.NoError(t, err)
	return all
}

// changes remembers what an application was told.
type changes struct {
	mu   sync.Mutex
	all  []Change
	fail func(Change) error
}

func (c *changes) take(_ context.Context, change Change) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.fail != nil {
		if err := c.fail(change); err != nil {
			return err
		}
	}
	c.all = append(c.all, change)
	return nil
}

// steps writes the changes as before>after.
func (c *changes) steps() (steps []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, change := range c.all {
		steps = append(steps, change.Before.Status+">"+change.After.Status)
	}
	return steps
}

func newHandler(t testing.TB, c Config) http.Handler {
	t.Helper()
	if c.Secrets == nil {
		c.Secrets = []string{secret}
	}
	h, err := NewHandler(c)
	require.NoError(t, err)
	return h
}

// answer is the body of a callback in which the recipient answers.
func answer(key ledger.Key, status, comment string) string {
	person := cronofy.Participant{Email: key.Address, Status: cronofy.Status(status), Comment: comment}
	return encode(cronofy.CallbackInvite{SmartInviteID: key.InviteID, Recipient: &person, Reply: &person})
}

func encode(invite cronofy.CallbackInvite) string {
	body, err := json.Marshal(cronofy.Callback{Notification: cronofy.Notification{Type: cronofy.CallbackSmartInvite},
		SmartInvite: invite})
	if err != nil {
		panic(fmt.Sprintf("a callback of this test cannot be encoded: %v", err))
	}
	return string(body)
}

func signed(ctx context.Context, body string) *http.Request {
	r := httptest.NewRequestWithContext(ctx, http.MethodPost, "/", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json; charset=utf-8")
	r.Header.Set(cronofy.CallbackHeader, cronofy.SignCallback([]byte(body), secret))
	return r
}

func post(t testing.TB, h http.Handler, body string) (code int) {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, signed(t.Context(), body))
	return w.Code
}
