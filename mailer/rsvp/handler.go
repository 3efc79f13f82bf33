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

// Handler takes the callbacks of the Smart Invites API: mount it at the callback URL.
type Handler struct {
	verify   func(body []byte, header string) error // holds the secrets, which nothing can print
	recorder recorder
	api      API // nil if nobody is to be asked
	log      *slog.Logger
	now      func() time.Time
	maxBody  int64
	observe  func(Outcome, time.Duration)
}

// NewHandler returns the handler to mount at the callback URL. The error says what
// is missing in c.
func NewHandler(c Config) (*Handler, error) {
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
	h := &Handler{
		verify:  func(body []byte, header string) error { return cronofy.VerifyCallback(body, header, secrets...) },
		api:     c.API,
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
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
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

func (h *Handler) handle(w http.ResponseWriter, r *http.Request) Outcome {
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
func (h *Handler) read(w http.ResponseWriter, r *http.Request) ([]byte, Outcome) {
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
func (h *Handler) record(ctx context.Context, invite *cronofy.CallbackInvite) Outcome {
	at := h.now()
	outcome := Ignored
	for _, heard := range inCallback(invite) {
		heard.rsvp.Source, heard.rsvp.At = ledger.SourceCallback, at
		one := h.recordOne(ctx, invite.SmartInviteID, heard)
		if one == Stale && h.api != nil {
			one = h.ask(ctx, ledger.Entry{Key: ledger.Key{InviteID: invite.SmartInviteID, Address: heard.address.Key()},
				Recipient: heard.address.String(), Grouped: len(invite.Recipients) > 0})
		}
		outcome = worse(outcome, one)
	}
	if outcome == Ignored {
		h.log.LogAttrs(ctx, slog.LevelInfo, "a callback that names no answer was ignored", slog.String("smart_invite_id", invite.SmartInviteID))
	}
	return outcome
}

func (h *Handler) recordOne(ctx context.Context, id string, heard heard) Outcome {
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
	case Stale:
		h.log.LogAttrs(ctx, slog.LevelInfo, "an answer may be one to what the event was before it was moved; nobody is told unless the API confirms it", attrs...)
	}
	return result.outcome
}

// ask asks the API how an invite stands of which a callback says nothing sure. If it
// does not answer, the callback is to be repeated, and with it the question.
func (h *Handler) ask(ctx context.Context, e ledger.Entry) Outcome {
	all, err := statusOf(ctx, h.api, e, h.now())
	switch {
	case cronofy.StatusOf(err) == http.StatusNotFound, refused(err): // another time will be no better
		h.log.LogAttrs(ctx, slog.LevelError, "an answer may be one to what the event was before, and the API does not say; asking for all answers tells",
			slog.String("smart_invite_id", e.Key.InviteID), slog.Any("error", err))
		return Stale
	case err != nil:
		h.log.LogAttrs(ctx, slog.LevelWarn, "an answer may be one to what the event was before, and the API could not be asked; it will repeat the callback",
			slog.String("smart_invite_id", e.Key.InviteID), slog.Any("error", err))
		return Unavailable
	}
	outcome := Stale
	for _, heard := range all {
		if got := h.recordOne(ctx, e.Key.InviteID, heard); got != Repeated {
			outcome = worse(outcome, got)
		}
	}
	return outcome
}

// Deliver offers the changes that OnChange has not taken yet: those that it refused,
// and those that a sender recorded when it moved an event. Call it every few seconds.
// The error is the first with which a change was refused, or the store's.
func (h *Handler) Deliver(ctx context.Context) error {
	return h.recorder.deliverAll(ctx)
}

// worse is the outcome that matters more of two.
func worse(a, b Outcome) Outcome {
	order := []Outcome{Ignored, Unknown, Repeated, Late, Stale, Recorded, Undelivered, Unavailable}
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
