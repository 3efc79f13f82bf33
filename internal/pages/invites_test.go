package pages_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/html"

	"github.com/invitemailer/invitemailer/internal/pages"
	"github.com/invitemailer/invitemailer/mailer/ledger"
)

var now = time.Date(2027, 4, 1, 12, 0, 0, 0, time.UTC)

// store is a ledger of a test.
type store struct {
	entries []ledger.Entry
	rsvps   map[ledger.Key][]ledger.RSVP
	err     error
	read    int // entries that were handed out
}

// during are the entries of an agenda's time.
func (s *store) during(a ledger.Agenda) (found []ledger.Entry) {
	for _, e := range s.entries {
		known := !e.EndsAt.IsZero()
		if (a.EndsAfter.IsZero() || !known || e.EndsAt.After(a.EndsAfter)) &&
			(a.EndsBy.IsZero() || known && !e.EndsAt.After(a.EndsBy)) {
			found = append(found, e)
		}
	}
	slices.SortStableFunc(found, func(a, b ledger.Entry) int { return a.EndsAt.Compare(b.EndsAt) })
	return found
}

func status(e ledger.Entry) (status string, proposed bool) {
	if e.RSVP == nil {
		return ledger.StatusPending, false
	}
	return e.RSVP.Status, e.RSVP.Proposal != nil
}

func (s *store) Agenda(_ context.Context, a ledger.Agenda) ([]ledger.Entry, error) {
	found := slices.DeleteFunc(s.during(a), func(e ledger.Entry) bool {
		status, proposed := status(e)
		return a.Status != "" && a.Status != status || a.Proposed && !proposed
	})
	if a.LastFirst {
		slices.Reverse(found)
	}
	found = found[min(a.Skip, len(found)):]
	found = found[:min(a.Limit, len(found))]
	s.read += len(found)
	return found, s.err
}

func (s *store) Tally(_ context.Context, a ledger.Agenda) (ledger.Tally, error) {
	t := ledger.Tally{Status: map[string]int{}}
	for _, e := range s.during(a) {
		status, proposed := status(e)
		t.Status[status]++
		if proposed {
			t.Proposed++
		}
	}
	return t, s.err
}

func (s *store) Load(_ context.Context, keys ...ledger.Key) ([]ledger.Entry, error) {
	s.read += len(keys)
	var found []ledger.Entry
	for _, k := range keys {
		at := slices.IndexFunc(s.entries, func(e ledger.Entry) bool { return e.Key == k })
		if at < 0 {
			found = append(found, ledger.Entry{Key: k})
			continue
		}
		found = append(found, s.entries[at])
	}
	return found, s.err
}

func (s *store) RSVPs(_ context.Context, key ledger.Key) ([]ledger.RSVP, error) {
	return s.rsvps[key], s.err
}

// add puts an invite into the store whose event ends so long after now.
func (s *store) add(id, summary string, ends time.Duration, heard ...ledger.RSVP) {
	end := now.Add(ends)
	key := ledger.Key{InviteID: id, Address: id + "@example.org"}
	text := fmt.Sprintf("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nMETHOD:REQUEST\r\nBEGIN:VEVENT\r\nUID:%s\r\n"+
		"DTSTAMP:20270101T000000Z\r\n"+
		"DTSTART:%s\r\nDTEND:%s\r\nSUMMARY:%s\r\nEND:VEVENT\r\n"+
		"END:VCALENDAR\r\n", id, end.Add(-time.Hour).Format("20060102T150405Z"), end.Format(
		"20060102T150405Z"), summary)
	e := ledger.Entry{Key: key, Known: true, Recipient: key.Address, EndsAt: end,
		Latest: &ledger.Revision{Kind: "invitation", State: ledger.Sent, Calendar: []byte(text)}}
	if len(heard) > 0 {
		e.RSVP = &heard[len(heard)-1]
	}
	s.entries = append(s.entries, e)
	if s.rsvps == nil {
		s.rsvps = make(map[ledger.Key][]ledger.RSVP)
	}
	s.rsvps[key] = heard
}

const hostile = `"><img src=x onerror=alert(1)><script>alert(2)</script>`

func sample() *store {
	s := new(store)
	s.add("late", "Late", 48*time.Hour, ledger.RSVP{Status: "accepted", At: now, Source: ledger.SourceCallback})
	s.add("soon", hostile, time.Hour,
		ledger.RSVP{Status: "accepted", At: now.Add(-time.Hour), Source: ledger.SourceStatus},
		ledger.RSVP{Status: "declined", Comment: hostile, At: now, Source: ledger.SourceCallback})
	s.add("open", "Open", 24*time.Hour)
	s.add("over", "Over", -time.Hour, ledger.RSVP{Status: "accepted", At: now})
	s.add("moved", "Moved", 72*time.Hour, ledger.RSVP{Status: "tentative", At: now, Source: ledger.SourceCallback,
		Proposal: &ledger.Proposal{Start: now.Add(96 * time.Hour), End: now.Add(97 * time.Hour),
			TZID: "Europe/Berlin"}})
	s.add("sent-on", "Sent on", 73*time.Hour, ledger.RSVP{Status: "pending", At: now, By: "assistant@example.org",
		Reply: &ledger.Reply{Status: "accepted", Comment: "for her"}})
	return s
}

func get(t *testing.T, h http.Handler, path string) *httptest.ResponseRecorder {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil))
	return w
}

func handler(s *store) http.Handler {
	return pages.Invites(s, slog.New(slog.DiscardHandler), func() time.Time { return now })
}

// The JSON has what the page has: by status, by time, one with its history.
func TestJSON(t *testing.T) {
	t.Parallel()
	for query, want := range map[string][]string{
		"":                          {"soon", "open", "late", "moved", "sent-on"},
		"?status=accepted":          {"late"},
		"?status=pending":           {"open", "sent-on"},
		"?status=proposed":          {"moved"},
		"?status=nobody":            {},
		"?when=past":                {"over"},
		"?when=all&status=all":      {"over", "soon", "open", "late", "moved", "sent-on"},
		"?page=9":                   {"soon", "open", "late", "moved", "sent-on"},
		"?status=declined&page=1":   {"soon"},
		"?status=accepted&when=all": {"over", "late"},
	} {
		w := get(t, handler(sample()), "/invites"+query)
		require.Equal(t, http.StatusOK, w.Code, query)
		var l pages.List
		require.NoError(t, json.Unmarshal(w.Body.Bytes(), &l), query)
		ids := []string{}
		for _, v := range l.Invites {
			ids = append(ids, v.ID)
		}
		assert.Equal(t, want, ids, query)
		assert.NotContains(t, w.Body.String(), `"invites":null`)
	}
	w := get(t, handler(sample()), "/invites?id=moved&recipient=MOVED@Example.org")
	assert.JSONEq(t, `{"smart_invite_id":"moved","recipient":"moved@example.org","summary":"Moved","event_start":"2027-04-04T11:00:00Z",
		"event_end":"2027-04-04T12:00:00Z","kind":"invitation","state":"sent","rsvp":{"status":"tentative","proposal":
		{"start":"2027-04-05T14:00:00+02:00","end":"2027-04-05T15:00:00+02:00","tzid":"Europe/Berlin"},
		"at":"2027-04-01T12:00:00Z","source":"callback"},
		"history":[{"status":"tentative","proposal":
		{"start":"2027-04-05T14:00:00+02:00","end":"2027-04-05T15:00:00+02:00","tzid":"Europe/Berlin"},
		"at":"2027-04-01T12:00:00Z","source":"callback"}]}`, w.Body.String())
	assert.Equal(t, http.StatusNotFound, get(t, handler(sample()), "/invites?id=none&recipient=a@example.org").Code)
}

// However many invites there are, a page reads those that stand on it.
func TestPageReadsNoMoreThanItShows(t *testing.T) {
	t.Parallel()
	s := new(store)
	const invites, onPage = 1050, 100
	for i := range invites {
		s.add(fmt.Sprintf("invite-%d", i), "Interview", time.Duration(i+1)*time.Hour,
			ledger.RSVP{Status: "accepted", At: now})
	}
	h := handler(s)
	for path, want := range map[string]int{
		"/": onPage, "/invites": onPage, "/?page=7&status=accepted": onPage, "/?page=11": invites % onPage,
		"/?page=99":   invites % onPage,
		"/?when=past": 0, "/?status=declined": 0, "/?when=all": onPage,
	} {
		s.read = 0
		w := get(t, h, path)
		require.Equal(t, http.StatusOK, w.Code, path)
		assert.Equal(t, 2*want, s.read, path+": each is read, and then its calendar")
		if path == "/" {
			assert.Contains(t, w.Body.String(), "Page 1 of 11")
			assert.Contains(t, w.Body.String(), fmt.Sprintf(`All <span class="count">%d</span>`, invites))
		}
	}
}

// An answer to an earlier time is none to the one that is shown beside it.
func TestAnswerToAnEarlierTime(t *testing.T) {
	t.Parallel()
	s := new(store)
	s.add("moved", "Moved", time.Hour, ledger.RSVP{Status: "accepted", Revision: 1, At: now},
		ledger.RSVP{Status: "accepted", Revision: 2, Stale: true, At: now})
	s.entries[0].RSVP = &s.rsvps[s.entries[0].Key][0]
	for asks, outdated := range map[int64]bool{1: false, 2: true} {
		s.entries[0].Latest.Asks = asks
		assert.Equal(t, outdated, strings.Contains(get(t, handler(s), "/").Body.String(), "to an earlier time"))
		one := get(t, handler(s), "/invite?id=moved&recipient=moved@example.org").Body.String()
		assert.Equal(t, outdated, strings.Contains(one, "to an earlier time"))
		assert.Contains(t, one, "perhaps an earlier answer that came late")
		var l pages.List
		require.NoError(t, json.Unmarshal(get(t, handler(s), "/invites").Body.Bytes(), &l))
		assert.Equal(t, outdated, l.Invites[0].Answer.Outdated)
		assert.EqualValues(t, 1, l.Invites[0].Answer.Revision)
	}
}

// What cannot be read is refused in words, and nothing is shown for it.
func TestBadRequests(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]int{
		"/?when=never": 400, "/invites?page=x": 400, "/?page=0": 400, "/?status=" + strings.Repeat("a", 65): 400,
		"/invite": 400, "/invite?id=x": 400, "/invite?id=x&recipient=nobody": 404, "/none": 404, "/board.html": 404,
	} {
		assert.Equal(t, want, get(t, handler(sample()), path).Code, path)
	}
	broken := sample()
	broken.err = errors.New("disk of ann@example.org")
	for _, path := range []string{"/", "/invites", "/invite?id=soon&recipient=soon@example.org"} {
		w := get(t, handler(broken), path)
		assert.Equal(t, http.StatusServiceUnavailable, w.Code, path)
		assert.NotContains(t, w.Body.String(), "example.org")
	}
	w := httptest.NewRecorder()
	handler(sample()).ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/invites", nil))
	assert.Equal(t, http.StatusMethodNotAllowed, w.Code, "nothing can be changed")
}

// Whatever people write is text on the page, and the page runs nothing but its own
// script.
func TestHostileText(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"/", "/?when=all", "/invite?" +
		url.Values{"id": {"soon"}, "recipient": {"soon@example.org"}}.Encode()} {
		w := get(t, handler(sample()), path)
		require.Equal(t, http.StatusOK, w.Code)
		policy := w.Header().Get("Content-Security-Policy")
		assert.Contains(t, policy, "default-src 'none'")
		assert.NotContains(t, policy, "unsafe")
		assert.Equal(t, "no-store", w.Header().Get("Cache-Control"))
		root, err := html.Parse(w.Body)
		require.NoError(t, err)
		scripts, comments := 0, 0
		for n := range root.Descendants() {
			if n.Type == html.TextNode && strings.Contains(n.Data, hostile) {
				comments++
			}
			if n.Type != html.ElementNode {
				continue
			}
			assert.NotEqual(t, "img", n.Data)
			if n.Data == "script" {
				scripts++
				assert.Nil(t, n.FirstChild)
			}
			for _, a := range n.Attr {
				assert.False(t, strings.HasPrefix(a.Key, "on") || a.Key == "style", a.Key)
			}
		}
		assert.Equal(t, 1, scripts)
		assert.Positive(t, comments)
	}
}

// Who has the page already is given nothing again until there is news.
func TestNews(t *testing.T) {
	t.Parallel()
	s := sample()
	h := handler(s)
	first := get(t, h, "/")
	again := func() int {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
		r.Header.Set("If-None-Match", first.Header().Get("ETag"))
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w.Code
	}
	assert.Equal(t, http.StatusNotModified, again())
	s.entries[2].RSVP = &ledger.RSVP{Status: "accepted", At: now}
	assert.Equal(t, http.StatusOK, again())
}

// Only who may see the page sees it.
func TestGuard(t *testing.T) {
	t.Parallel()
	ok := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	for _, tc := range []struct {
		name, token, host, authorization string
		want                             int
	}{
		{"loopback", "", "127.0.0.1:8081", "", 204},
		{"loopback by name", "", "localhost:8081", "", 204},
		{"loopback, IPv6", "", "[::1]:8081", "", 204},
		{"rebound name", "", "evil.example:8081", "", 403},
		{"loopback as a label", "", "127.0.0.1.evil.example", "", 403},
		{"other address", "", "192.0.2.1:8081", "", 403},
		{"no token", "secret", "127.0.0.1:8081", "", 401},
		{"token", "secret", "board.example", "Bearer secret", 204},
		{"token, other case of the scheme", "secret", "board.example", "bearer secret", 204},
		{"token as password", "secret", "board.example", "Basic YW5uOnNlY3JldA==", 204},
		{"wrong token", "secret", "board.example", "Bearer secre", 401},
		{"token of another scheme", "secret", "board.example", "Digest secret", 401},
		{"token as user", "secret", "board.example", "Basic c2VjcmV0Og==", 401},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
			r.Host = tc.host
			if tc.authorization != "" {
				r.Header.Set("Authorization", tc.authorization)
			}
			w := httptest.NewRecorder()
			pages.Guard(tc.token, ok).ServeHTTP(w, r)
			assert.Equal(t, tc.want, w.Code)
			assert.Equal(t, tc.want == 401, w.Header().Get("WWW-Authenticate") != "")
		})
	}
}

func BenchmarkPage(b *testing.B) {
	s := new(store)
	for i := range 1000 {
		s.add(fmt.Sprintf("invite-%d", i), "Interview", time.Duration(i)*time.Hour,
			ledger.RSVP{Status: "accepted", At: now})
	}
	h := handler(s)
	b.ReportAllocs()
	for b.Loop() {
		h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(b.Context(), http.MethodGet, "/", nil))
	}
}
