package mailer_test

import (
	"context"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/invitemailer/invitemailer/cronofy"
	"github.com/invitemailer/invitemailer/cronofy/cronofytest"
	"github.com/invitemailer/invitemailer/internal/smtptest"
	"github.com/invitemailer/invitemailer/mailer"
	"github.com/invitemailer/invitemailer/mailer/ledger"
	"github.com/invitemailer/invitemailer/mailer/ledger/sqlite"
	"github.com/invitemailer/invitemailer/mailer/submission"
	"github.com/invitemailer/invitemailer/templates"
)

// The measurements that testdata/performance/run reports need many invites and
// rounds; a look at everything once needs few.
var (
	measuredInvites = flag.Int("invites", 20,
		"invites in each run of BenchmarkOverlap, BenchmarkCPU and BenchmarkGrowth")
	measuredRounds = flag.Int("rounds", 1, "rounds of each of them, of which the medians are told")
	measuredGrowth = flag.Int("growth", 5, "how many times as many invites the larger runs of BenchmarkGrowth have")
)

// atOnce is how many requests, and how many connections, the measurements have
// under way.
const atOnce = 10

// wayOptions say what surrounds a [way].
type wayOptions struct {
	latency   time.Duration // of the API, for each request
	roundTrip time.Duration // between us and the SMTP server
	canned    bool          // the API is no server but one answer to everything, which costs nearly nothing
}

// way is all that an invite passes, from the request to the ledger, with servers
// at its ends whose costs are small.
type way struct {
	api    *cronofy.Client
	sink   *smtptest.Sink
	smtp   *submission.Submitter
	ledger *sqlite.Ledger
	config mailer.Config

	closers []func()
}

func newWay(tb testing.TB, o wayOptions) *way {
	tb.Helper()
	w := &way{sink: &smtptest.Sink{}}
	tb.Cleanup(w.close)
	require.NoError(tb, w.sink.Start())
	w.onClose(func() { require.NoError(tb, w.sink.Close()) })
	api := cronofy.Config{APIKey: "key", RatePerSecond: -1, RatePerMinute: -1}
	if o.canned {
		api.Transport = newCanned(tb)
	} else {
		server := httptest.NewServer(cronofytest.New(cronofytest.Options{Latency: o.latency}))
		w.onClose(server.Close)
		api.BaseURL = server.URL
	}
	var err error
	w.api, err = cronofy.New(api)
	require.NoError(tb, err)
	w.onClose(w.api.Close)
	path := &smtptest.Path{RoundTrip: o.roundTrip}
	w.smtp, err = submission.New(submission.Config{Host: "127.0.0.1", Port: w.sink.Port(), Dial: path.Dial,
		TLS: submission.TLSNone, Connections: atOnce})
	require.NoError(tb, err)
	w.onClose(func() { require.NoError(tb, w.smtp.Shutdown(context.Background())) })
	w.ledger, err = sqlite.Open(tb.Context(), sqlite.Options{Path: filepath.Join(tb.TempDir(), "ledger.sqlite")})
	require.NoError(tb, err)
	w.onClose(func() { require.NoError(tb, w.ledger.Shutdown(context.Background())) })
	w.config = mailer.Config{API: w.api, Submitter: w.smtp, Ledger: w.ledger, AllowPast: true}
	return w
}

func (w *way) onClose(f func()) { w.closers = append(w.closers, f) }

// close ends everything, the latest first; a second call does nothing. It is
// called when the test ends at the latest.
func (w *way) close() {
	for _, f := range slices.Backward(w.closers) {
		f()
	}
	w.closers = nil
}

// sendAll takes n new invites all the way, as the command does.
func (w *way) sendAll(tb testing.TB, prefix string, n int) {
	tb.Helper()
	m, err := mailer.New(w.config)
	require.NoError(tb, err)
	defer func() { require.NoError(tb, m.Shutdown(context.Background())) }()
	items := func(yield func(mailer.Item) bool) {
		for i := range n {
			invite := boardMeeting()
			invite.ID = fmt.Sprintf("%s-%d", prefix, i)
			if !yield(mailer.Item{Invite: &invite}) {
				return
			}
		}
	}
	sent := 0
	err = m.SendAll(tb.Context(), items, mailer.RunOptions{Concurrency: atOnce, Mails: 2 * atOnce},
		func(r mailer.Result) {
			for _, receipt := range r.Receipts {
				if receipt.Outcome == mailer.Sent {
					sent++
				}
			}
		})
	require.NoError(tb, err)
	require.Equal(tb, n, sent, "invites sent")
}

// specimen is one invite at each point of its way, taken from the pipeline.
type specimen struct {
	calendar string
	words    templates.Data
	envelope submission.Envelope
	message  []byte
}

// watched notes what the pipeline hands to its services.
type watched struct {
	mailer.SmartInvites
	mailer.Renderer
	mailer.Submitter
	specimen
}

func (w *watched) Create(ctx context.Context, r *cronofy.InviteRequest) (*cronofy.SmartInvite, error) {
	answer, err := w.SmartInvites.Create(ctx, r)
	if err == nil {
		w.calendar = answer.Attachments.ICalendar
	}
	return answer, err
}

func (w *watched) Render(kind templates.Kind, d templates.Data) (templates.Content, error) {
	w.words = d
	return w.Renderer.Render(kind, d)
}

func (w *watched) Submit(ctx context.Context, env submission.Envelope, msg []byte) submission.Result {
	w.envelope, w.message = env, msg
	return w.Submitter.Submit(ctx, env, msg)
}

// take sends one invite and returns what was seen of it.
func (w *way) take(tb testing.TB) specimen {
	tb.Helper()
	set, err := templates.New()
	require.NoError(tb, err)
	watch := &watched{SmartInvites: w.api, Renderer: set, Submitter: w.smtp}
	cfg := w.config
	cfg.API, cfg.Templates, cfg.Submitter = watch, watch, watch
	m, err := mailer.New(cfg)
	require.NoError(tb, err)
	invite := boardMeeting()
	invite.ID = "specimen"
	r, err := m.Send(tb.Context(), invite)
	require.NoError(tb, err)
	require.Equal(tb, mailer.Sent, r.Outcome)
	require.NoError(tb, m.Shutdown(context.Background()))
	return watch.specimen
}

// request is what the pipeline asks the API for, for an invite with that id.
func request(id string) *cronofy.InviteRequest {
	invite := boardMeeting()
	return &cronofy.InviteRequest{SmartInviteID: id, Event: invite.Event,
		Recipient: &cronofy.Recipient{Email: invite.Recipient.Email},
		Organizer: &cronofy.Organizer{Name: invite.Organizer.Name, Email: invite.Organizer.Email}}
}

// canned answers every request alike.
type canned struct{ body string }

func newCanned(tb testing.TB) canned {
	tb.Helper()
	var body atomic.Value
	server := cronofytest.New(cronofytest.Options{})
	api, err := cronofy.New(cronofy.Config{APIKey: "key",
		Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
			response, err := server.Transport().RoundTrip(r)
			if err != nil {
				return nil, err
			}
			text, err := io.ReadAll(response.Body)
			body.Store(string(text))
			response.Body = io.NopCloser(strings.NewReader(string(text)))
			return response, err
		})})
	require.NoError(tb, err)
	_, err = api.Create(tb.Context(), request("canned"))
	require.NoError(tb, err)
	return canned{body.Load().(string)}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

var cannedHeader = http.Header{"Content-Type": {"application/json; charset=utf-8"}}

func (c canned) RoundTrip(r *http.Request) (*http.Response, error) {
	if _, err := io.Copy(io.Discard, r.Body); err != nil {
		return nil, err
	}
	_ = r.Body.Close()
	return &http.Response{Status: "200 OK", StatusCode: http.StatusOK, Proto: "HTTP/1.1", ProtoMajor: 1,
		ProtoMinor: 1, Header: cannedHeader,
		ContentLength: int64(len(c.body)), Body: io.NopCloser(strings.NewReader(c.body)), Request: r}, nil
}

// spread does f for 0 to n-1, atOnce of them at once, and fails with the first
// error.
func spread(tb testing.TB, n int, f func(i int) error) {
	tb.Helper()
	var (
		wg       sync.WaitGroup
		next     atomic.Int64
		failures = make(chan error, atOnce)
	)
	for range min(n, atOnce) {
		wg.Go(func() {
			for i := next.Add(1) - 1; i < int64(n); i = next.Add(1) - 1 {
				if err := f(int(i)); err != nil {
					failures <- err
					return
				}
			}
		})
	}
	wg.Wait()
	select {
	case err := <-failures:
		tb.Fatal(err)
	default:
	}
}

// life is all that the ledger is asked for one new invite, in the pipeline's
// order.
func (w *way) life(ctx context.Context, id string, s specimen, made ledger.NewRevision) error {
	key := ledger.Key{InviteID: id, Address: made.Recipient}
	made.Key = key
	if _, err := w.ledger.Lookup(ctx, key); err != nil {
		return err
	}
	claim, err := w.ledger.Claim(ctx, key)
	if err != nil {
		return err
	}
	if _, err := w.ledger.Load(ctx, key); err != nil {
		return err
	}
	if err := w.ledger.Create(ctx, claim, made); err != nil {
		return err
	}
	err = w.ledger.Submitting(ctx, claim, key, ledger.Submission{MessageID: "kz7q3m5v2x4t6b8n@example.com",
		FromName:  "Jane Doe",
		FromEmail: s.envelope.From, Kind: mailer.Invitation, Message: ledger.Message{From: s.envelope.From,
			To: s.envelope.To, Bytes: s.message}})
	if err != nil {
		return err
	}
	if err := w.ledger.Finish(ctx, claim, key, ledger.Result{State: ledger.Sent, Reply: "250 2.0.0 Ok"}); err != nil {
		return err
	}
	return w.ledger.Release(ctx, claim)
}
