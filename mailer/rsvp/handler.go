package rsvp

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/invitemailer/invitemailer/cronofy"
	"github.com/invitemailer/invitemailer/mailer/ledger"
)

const (
	// answerWithin leaves half a second for the way back: the API waits five.
	answerWithin = 4500 * time.Millisecond
	// maxBody is many times what a callback with a long comment takes.
	maxBody = 64 << 10
)

type handler struct {
	verify   func(body []byte, header string) error // holds the secrets, which nothing can print
	recorder recorder
	log      *slog.Logger
	now      func() time.Time
	maxBody  int64
	observe  func(Outcome, time.Duration)
}

// NewHandler returns the handler to mount at the callback URL. The error says what
// is missing in c.
func NewHandler(c Config) (http.Handler, error) {
	if len(c.Secrets) == 0 || slices.Contains(c.Secrets, "") {
		return nil, errors.New("rsvp: a secret is missing or empty: set the application's client_secret, or anybody could answer")
	}
	if c.Store == nil {
		return nil, errors.New("rsvp: there is no store: set one, such as a *sqlite.Ledger")
	}
	if c.MaxBody < 0 {
		return nil, fmt.Errorf("rsvp: the largest body is %d bytes: set a positive number, or 0 for the default", c.MaxBody)
	}
	secrets := slices.Clone(c.Secrets)
	h := &handler{
		verify:  func(body []byte, header string) error { return cronofy.VerifyCallback(body, header, secrets...) },
		log:     orSilence(c.Logger),
		now:     c.Now,
		maxBody: c.MaxBody,
		observe: c.Observe,
	}
	if h.now == nil {
		h.now = time.Now
	}
	if h.maxBody == 0 {
		h.maxBody = maxBody
	}
	if h.observe == nil {
		h.observe = func(Outcome, time.Duration) {}
	}
	h.recorder = recorder{store: c.Store, onChange: c.OnChange, log: h.log}
	return h, nil
}

// ServeHTTP answers one callback.
func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	start := h.now()
	outcome := h.handle(w, r)
	code := outcome.code()
	if outcome == BadMethod {
		w.Header().Set("Allow", http.MethodPost)
	}
	if code == http.StatusOK {
		w.WriteHeader(code)
	} else {
		http.Error(w, http.StatusText(code), code)
	}
	h.observe(outcome, h.now().Sub(start))
}

// code is the answer that an outcome gives.
func (o Outcome) code() int {
	switch o {
	case BadMethod:
		return http.StatusMethodNotAllowed
	case TooLarge:
		return http.StatusRequestEntityTooLarge
	case Unsigned:
		return http.StatusForbidden
	case Malformed:
		return http.StatusBadRequest
	case Unavailable, Undelivered:
		return http.StatusServiceUnavailable
	default:
		return http.StatusOK
	}
}

func (h *handler) handle(w http.ResponseWriter, r *http.Request) Outcome {
	if r.Method != http.MethodPost {
		return BadMethod
	}
	ctx, cancel := context.WithTimeout(r.Context(), answerWithin)
	defer cancel()
	body, outcome := h.read(w, r)
	if outcome != "" {
		return outcome
	}
	if err := h.verify(body, strings.Join(r.Header.Values(cronofy.CallbackHeader), ",")); err != nil {
		h.log.LogAttrs(ctx, slog.LevelWarn, "a callback was refused: no signature fits; check that the secret is the application's client_secret")
		return Unsigned
	}
	callback, err := cronofy.ParseCallback(body)
	if err != nil {
		h.log.LogAttrs(ctx, slog.LevelWarn, "a signed callback was refused: its body cannot be read", slog.Int("bytes", len(body)))
		return Malformed
	}
	if callback.Notification.Type != cronofy.CallbackSmartInvite {
		h.log.LogAttrs(ctx, slog.LevelDebug, "a callback of another type was ignored")
		return Ignored
	}
	return h.record(ctx, &callback.SmartInvite)
}

// read reads the body, if it is not too large and comes before the API gives up.
func (h *handler) read(w http.ResponseWriter, r *http.Request) ([]byte, Outcome) {
	if r.ContentLength > h.maxBody {
		return nil, TooLarge
	}
	// Not every ResponseWriter can; the server's own timeouts hold there.
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(answerWithin))
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, h.maxBody))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return nil, TooLarge
	case err != nil:
		return nil, Malformed
	}
	return body, ""
}

// record records what the callback says of each recipient. The outcome is the
// one that matters most.
func (h *handler) record(ctx context.Context, invite *cronofy.CallbackInvite) Outcome {
	at := h.now()
	outcome := Ignored
	for _, heard := range inCallback(invite) {
		heard.rsvp.Source, heard.rsvp.At = ledger.SourceCallback, at
		outcome = worse(outcome, h.recordOne(ctx, invite.SmartInviteID, heard))
	}
	if outcome == Ignored {
		h.log.LogAttrs(ctx, slog.LevelInfo, "a callback that names no answer was ignored", slog.String("smart_invite_id", invite.SmartInviteID))
	}
	return outcome
}

func (h *handler) recordOne(ctx context.Context, id string, heard heard) Outcome {
	result, err := h.recorder.record(ctx, ledger.Key{InviteID: id, Address: heard.address.Key()}, heard.address.String(), heard.rsvp)
	attrs := []slog.Attr{slog.String("smart_invite_id", id), slog.String("recipient_domain", heard.address.Domain())}
	switch result.outcome {
	case Unavailable:
		h.log.LogAttrs(ctx, slog.LevelError, "an answer was not recorded; the API will repeat it", append(attrs, slog.Any("error", err))...)
	case Undelivered:
		h.log.LogAttrs(ctx, slog.LevelError, "an answer is recorded, but the application did not take it; the API will repeat it", append(attrs, slog.Any("error", err))...)
	case Unknown:
		h.log.LogAttrs(ctx, slog.LevelWarn, "an answer to an unknown invite was not recorded; check that this is the ledger that the invite was sent with", attrs...)
	case Late:
		h.log.LogAttrs(ctx, slog.LevelInfo, "the repeat of an answer came after a newer one and was left aside", attrs...)
	}
	return result.outcome
}

// worse is the outcome that matters more of two.
func worse(a, b Outcome) Outcome {
	order := []Outcome{Ignored, Unknown, Repeated, Late, Recorded, Undelivered, Unavailable}
	if slices.Index(order, b) > slices.Index(order, a) {
		return b
	}
	return a
}

func orSilence(log *slog.Logger) *slog.Logger {
	if log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return log
}
