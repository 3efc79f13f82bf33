package rsvp

import (
	"context"
	"errors"
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
	// maxBody is many times what a callback with a long comment takes, in bytes.
	maxBody = 64 << 10
)

// An outcome is how a callback ended; see Config.Observe.
type outcome string

const (
	recorded    outcome = "recorded"
	repeated    outcome = "repeated"
	late        outcome = "late"
	stale       outcome = "stale"
	unknown     outcome = "unknown"
	ignored     outcome = "ignored"
	badMethod   outcome = "bad_method"
	tooLarge    outcome = "too_large"
	unsigned    outcome = "unsigned"
	malformed   outcome = "malformed"
	unavailable outcome = "unavailable"
	undelivered outcome = "undelivered"
)

// codes are the answers to the API, where they are not 200.
var codes = map[outcome]int{
	badMethod:   http.StatusMethodNotAllowed,
	tooLarge:    http.StatusRequestEntityTooLarge,
	unsigned:    http.StatusForbidden,
	malformed:   http.StatusBadRequest,
	unavailable: http.StatusServiceUnavailable,
	undelivered: http.StatusServiceUnavailable,
}

// worse is the outcome that matters more of two.
func worse(a, b outcome) outcome {
	order := []outcome{ignored, unknown, repeated, late, stale, recorded, undelivered, unavailable}
	if slices.Index(order, b) > slices.Index(order, a) {
		return b
	}
	return a
}

// Handler takes the callbacks of the Smart Invites API: mount it at the callback URL.
type Handler struct {
	verify   func(body []byte, header string) error // holds the secrets, which nothing can print
	config   Config                                 // without the secrets
	recorder recorder
	log      *slog.Logger
}

// NewHandler returns a handler. The error is a [*ConfigError].
func NewHandler(c Config) (*Handler, error) {
	if len(c.Secrets) == 0 || slices.Contains(c.Secrets, "") {
		return nil, &ConfigError{"Secrets",
			"one is missing or empty: set the application's client_secret, or any sender could answer"}
	}
	if c.Store == nil {
		return nil, &ConfigError{"Store", "is missing: set one, such as a *sqlite.Ledger"}
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Observe == nil {
		c.Observe = func(string, time.Duration) {}
	}
	secrets := slices.Clone(c.Secrets)
	verify := func(body []byte, header string) error { return cronofy.VerifyCallback(body, header, secrets...) }
	c.Secrets = nil
	r := newRecorder(c.Store, c.OnChange, c.Logger)
	return &Handler{verify: verify, config: c, recorder: r, log: r.log}, nil
}

// ServeHTTP answers one callback.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	start := h.config.Now()
	outcome := h.handle(w, r)
	if outcome == badMethod {
		w.Header().Set("Allow", http.MethodPost)
	}
	if code, failed := codes[outcome]; failed {
		http.Error(w, http.StatusText(code), code)
	} else {
		w.WriteHeader(http.StatusOK)
	}
	h.config.Observe(string(outcome), h.config.Now().Sub(start))
}

func (h *Handler) handle(w http.ResponseWriter, r *http.Request) outcome {
	if r.Method != http.MethodPost {
		return badMethod
	}
	ctx, cancel := context.WithTimeout(r.Context(), answerWithin)
	defer cancel()
	// Not every ResponseWriter has read deadlines; the server's own timeouts hold there.
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(answerWithin))
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	var more *http.MaxBytesError
	switch {
	case errors.As(err, &more):
		return tooLarge
	case err != nil:
		return malformed
	}
	if err := h.verify(body, strings.Join(r.Header.Values(cronofy.CallbackHeader), ",")); err != nil {
		h.log.WarnContext(ctx,
			"a callback was refused: no signature fits; check that the secret is the application's client_secret")
		return unsigned
	}
	callback, err := cronofy.ParseCallback(body)
	if err != nil {
		h.log.WarnContext(ctx, "a signed callback was refused: its body cannot be read", "bytes", len(body))
		return malformed
	}
	if callback.Notification.Type != cronofy.CallbackSmartInvite {
		h.log.DebugContext(ctx, "a callback of another type was ignored")
		return ignored
	}
	return h.recordAll(ctx, &callback.SmartInvite)
}

// recordAll records what the callback says of each recipient. The outcome is the
// one that matters most.
func (h *Handler) recordAll(ctx context.Context, invite *cronofy.CallbackInvite) outcome {
	at := h.config.Now()
	all := ignored
	for _, s := range standingsIn(invite) {
		s.rsvp.Source, s.rsvp.At = ledger.SourceCallback, at
		one := h.record(ctx, invite.SmartInviteID, s)
		if one == stale && h.config.API != nil {
			one = h.confirm(ctx, ledger.Entry{
				Key:       ledger.Key{InviteID: invite.SmartInviteID, Address: s.address.Key()},
				Recipient: s.address.String(), Grouped: len(invite.Recipients) > 0,
			})
		}
		all = worse(all, one)
	}
	if all == ignored {
		h.log.InfoContext(ctx, "a callback that names no answer was ignored", "smart_invite_id", invite.SmartInviteID)
	}
	return all
}

func (h *Handler) record(ctx context.Context, id string, s standing) outcome {
	result, err := h.recorder.record(ctx, id, s)
	log := h.log.With("smart_invite_id", id, "recipient_domain", s.address.Domain())
	switch result.outcome {
	case unavailable:
		log.ErrorContext(ctx, "an answer was not recorded; the API will repeat it", "error", err)
	case undelivered:
		log.ErrorContext(ctx, "an answer is recorded, but the application did not take it; the API will repeat it",
			"error", err)
	case unknown:
		log.WarnContext(ctx, "an answer to an unknown invite was not recorded; check that this is the ledger that "+
			"the invite was sent with")
	case late:
		log.InfoContext(ctx, "the repeat of an answer came after a newer one and was left aside")
	case stale:
		log.InfoContext(ctx, "an answer may be one to what the event was before it was moved; nobody is told "+
			"unless the API confirms it")
	}
	return result.outcome
}

// confirm asks the API how an invite stands after a callback that may be an old one.
// If the API does not answer, it is to repeat the callback.
func (h *Handler) confirm(ctx context.Context, e ledger.Entry) outcome {
	all, err := statusOf(ctx, h.config.API, e, h.config.Now())
	log := h.log.With("smart_invite_id", e.Key.InviteID, "error", err)
	switch {
	case cronofy.StatusOf(err) == http.StatusNotFound, refused(err): // another time will be no better
		log.ErrorContext(ctx,
			"an answer may be one to what the event was before, and the API does not say; asking for all answers tells")
		return stale
	case err != nil:
		log.WarnContext(ctx, "an answer may be one to what the event was before, and the API could not be asked; "+
			"it will repeat the callback")
		return unavailable
	}
	result := stale
	for _, s := range all {
		if one := h.record(ctx, e.Key.InviteID, s); one != repeated {
			result = worse(result, one)
		}
	}
	return result
}

// Deliver offers the changes that OnChange has not taken yet: those that it refused,
// and those that a sender recorded when it moved an event. Call it every few seconds.
// The error is the first with which a change was refused, or the store's.
func (h *Handler) Deliver(ctx context.Context) error { return h.recorder.deliverAll(ctx) }
