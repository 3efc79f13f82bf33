package cronofytest_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"sync"
	"testing"

	ics "github.com/arran4/golang-ical"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/invitemailer/invitemailer/cronofy/cronofytest"
)

// Changes of one invite from many sides at once give revisions that differ, none lost.
func TestConcurrentChanges(t *testing.T) {
	t.Parallel()
	const writers, each = 8, 25
	s := cronofytest.New(cronofytest.Options{RatePerSecond: 1 << 20, Now: noon})
	create(t, s, documented)
	var mu sync.Mutex
	sequences, stamps := map[string]bool{}, map[string]bool{}
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for n := range each {
				o := documentedObject(t)
				o["event"].(object)["summary"] = "version " + strconv.Itoa(w) + "." + strconv.Itoa(n)
				code, answer := post(t, s, o)
				if !assert.Equal(t, http.StatusOK, code) {
					return
				}
				text := answer["attachments"].(object)["icalendar"].(string)
				mu.Lock()
				sequences[property(t, text, ics.ComponentPropertySequence)] = true
				stamps[property(t, text, ics.ComponentPropertyDtstamp)] = true
				mu.Unlock()
				assert.NoError(t, setStatus(s, id, email, "accepted", ""))
				code, _ = status(
					t,
					s,
					url.Values{"smart_invite_id": {id}, "recipient_email": {email}, "include_ics": {"true"}},
				)
				assert.Equal(t, http.StatusOK, code)
				_ = s.Requests()
			}
		})
	}
	wg.Wait()
	assert.Len(t, sequences, writers*each)
	assert.Len(t, stamps, writers*each)
	assert.Equal(t, 1+2*writers*each, s.Count())
}

// Over a real server, with clients that come and go, nothing is left running.
func TestConcurrentClients(t *testing.T) {
	t.Parallel()
	s := cronofytest.New(cronofytest.Options{Fault: func(r *cronofytest.Request) *cronofytest.Fault {
		if r.N%3 == 0 {
			return cronofytest.FaultDrop()
		}
		return nil
	}})
	server := httptest.NewServer(s)
	defer server.Close()
	var wg sync.WaitGroup
	var failed, worked sync.Map
	for n := range 30 {
		wg.Go(func() {
			if _, _, err := ask(t.Context(), server.Client(), server.URL); err != nil {
				failed.Store(n, err)
			} else {
				worked.Store(n, true)
			}
		})
	}
	wg.Wait()
	count := func(m *sync.Map) (n int) {
		m.Range(func(any, any) bool { n++; return true })
		return n
	}
	require.Equal(t, 30, s.Count())
	assert.Equal(t, 10, count(&failed))
	assert.Equal(t, 20, count(&worked))
}
