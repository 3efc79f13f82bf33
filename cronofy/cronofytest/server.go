package cronofytest

import (
	"bytes"
	"cmp"
	"context"
	"crypto/subtle"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"
)

// maxBody is the largest request body that is read, in bytes. The API documents none; a request
// within the documented field limits stays far below.
const maxBody = 1 << 20

const endpoint = "/v1/smart_invites"

// Options say how a [Server] behaves. The zero value is a server without limits, delays or faults
// that accepts any key.
type Options struct {
	// APIKey is the only Bearer key that is accepted; empty accepts any. Callbacks are signed with
	// it, or if it is empty, with the key that the invite was last changed with.
	APIKey string `json:"-"`

	// Latency passes before each answer, after the request was carried out.
	Latency time.Duration
	// RatePerSecond and RatePerMinute are the most requests that are admitted in any second and any
	// minute (sliding windows); further ones get 429, with the time until one is admitted as
	// Retry-After. Zero means no limit. The documented defaults of the API are 50 and 500.
	RatePerSecond, RatePerMinute int
	// Fault is asked before each answer what is to go wrong; nil, or a nil result, means nothing. It
	// is called from several goroutines at once.
	Fault func(r *Request) *Fault `json:"-"`

	// CRLF ends the lines of attachments.icalendar with CR LF (RFC 5545 §3.1), not with LF as the
	// example on the API page.
	CRLF bool
	// DefaultOrganizer stands in for organizer fields that a request leaves out. Its own default is
	// "application name" at organizer@invite.cronofy.com.
	DefaultOrganizer Organizer
	// Now is the clock of DTSTAMP and of the rate limits; nil means time.Now.
	Now func() time.Time `json:"-"`

	// CallbackClient posts callbacks. Nil means one that reaches loopback addresses only: a test must
	// not call a program in production because its address stands in the data.
	CallbackClient *http.Client `json:"-"`
	// CallbackRetries is how often a callback is repeated that was not answered with 2xx within 5
	// seconds, a second after the first and twice as long after each other: zero means 5 times,
	// negative never.
	CallbackRetries int
}

// Format prints Options without the key, which may be that of a real application. The tag keeps it
// out of JSON.
func (o Options) Format(f fmt.State, _ rune) {
	_, _ = fmt.Fprintf(f, "cronofytest.Options{APIKey: %t, Latency: %s}", o.APIKey != "", o.Latency)
}

// Server simulates the Smart Invites API. It is safe for concurrent use.
type Server struct {
	options  Options
	limiter  *limiter
	calls    *callbacks
	requests history[Request]

	mu         sync.RWMutex
	count      int // of requests
	invites    map[inviteKey]*invite
	uids       map[string]inviteKey // by UID
	organizers map[string]struct{}  // by address
}

// Format prints nothing of what a Server holds: its key, and state that requests change.
func (s *Server) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "cronofytest.Server") }

// New returns a simulator without any invites. It needs [Server.Close] only if it posts callbacks.
func New(o Options) *Server {
	if o.Now == nil {
		o.Now = time.Now
	}
	o.DefaultOrganizer.Name = cmp.Or(o.DefaultOrganizer.Name, "application name")
	o.DefaultOrganizer.Email = cmp.Or(o.DefaultOrganizer.Email, "organizer@invite.cronofy.com")
	return &Server{
		options:    o,
		limiter:    newLimiter(o.RatePerSecond, o.RatePerMinute),
		calls:      newCallbacks(o),
		invites:    make(map[inviteKey]*invite),
		uids:       make(map[string]inviteKey),
		organizers: make(map[string]struct{}),
	}
}

// ServeHTTP answers POST and GET of /v1/smart_invites, also below a base path. It panics with
// [http.ErrAbortHandler] where a [Fault] wants the connection broken.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	raw, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	tooLarge := err != nil
	request := s.record(r, raw)

	fault := &Fault{}
	if s.options.Fault != nil {
		fault = cmp.Or(s.options.Fault(request), fault)
	}
	var a answer
	switch {
	case fault.refusal != nil:
		a = *fault.refusal
	case tooLarge:
		a = textAnswer(http.StatusRequestEntityTooLarge, "the body is larger than 1 MiB or broke off")
	default:
		a = s.handle(r, request)
	}
	if a.invite != nil {
		if fault.attach != nil && a.invite.Attachments != nil {
			fault.attach(a.invite.Attachments)
		}
		a = jsonAnswer(http.StatusOK, a.invite)
	}
	if fault.spoil != nil {
		fault.spoil(&a)
	}
	if !pause(r.Context(), s.options.Latency) {
		panic(http.ErrAbortHandler) // the client is gone
	}
	a.write(w)
}

// handle checks what is common to all requests and carries out the one that was asked for.
func (s *Server) handle(r *http.Request, request *Request) answer {
	if !strings.HasSuffix(r.URL.Path, endpoint) {
		return textAnswer(http.StatusNotFound, "no such path: only "+endpoint+" is here")
	}
	key, known := s.authorized(r.Header.Get("Authorization"))
	if !known {
		a := textAnswer(http.StatusUnauthorized, "credentials not recognised")
		a.header.Set("WWW-Authenticate", "Bearer")
		return a
	}
	if wait := s.limiter.admit(request.At); wait > 0 {
		a := textAnswer(http.StatusTooManyRequests, "rate limit exceeded")
		a.header.Set("Retry-After", retryAfter(wait))
		return a
	}
	switch r.Method {
	case http.MethodGet:
		return s.status(r.URL.Query())
	case http.MethodPost:
		return s.post(r.Header.Get("Content-Type"), key, request)
	default:
		a := textAnswer(http.StatusMethodNotAllowed, "only GET and POST are known here")
		a.header.Set("Allow", "GET, POST")
		return a
	}
}

func (s *Server) post(contentType, key string, request *Request) answer {
	media, params, err := mime.ParseMediaType(contentType)
	isUTF8 := strings.EqualFold(cmp.Or(params["charset"], "utf-8"), "utf-8")
	if err != nil || media != "application/json" || !isUTF8 {
		return textAnswer(http.StatusUnsupportedMediaType,
			"send Content-Type: application/json; charset=utf-8")
	}
	if request.Body == nil || !utf8.Valid(request.Raw) {
		return textAnswer(http.StatusBadRequest, "the body is not a JSON object in UTF-8")
	}
	c, problems := parse(request)
	if len(problems) > 0 {
		return problems.answer()
	}
	switch c.Method {
	case actionCancel:
		return s.cancel(c, request.At)
	case actionRemove:
		return s.remove(c, request.At)
	default:
		return s.upsert(c, key, request.At)
	}
}

// authorized compares in constant time, as the API's key is a secret even in a test environment.
func (s *Server) authorized(header string) (key string, ok bool) {
	scheme, key, _ := strings.Cut(header, " ")
	key = strings.TrimSpace(key)
	if !strings.EqualFold(scheme, "Bearer") || key == "" {
		return "", false
	}
	want := cmp.Or(s.options.APIKey, key)
	return key, subtle.ConstantTimeCompare([]byte(key), []byte(want)) == 1
}

// answer is an HTTP response before it is written.
type answer struct {
	status int
	header http.Header
	body   []byte
	// cut is how many bytes of the body are sent before the connection breaks; -1 sends all of it.
	cut int
	// invite becomes the body once a fault has seen it.
	invite *inviteAnswer
}

func textAnswer(status int, text string) answer {
	return answer{
		status: status, header: http.Header{"Content-Type": {"text/plain; charset=utf-8"}},
		body: []byte(text + "\n"), cut: -1,
	}
}

func jsonAnswer(status int, v any) answer {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return textAnswer(http.StatusInternalServerError,
			"the simulator cannot encode its answer: "+err.Error())
	}
	return answer{
		status: status, header: http.Header{"Content-Type": {"application/json; charset=utf-8"}},
		body: bytes.TrimSuffix(b.Bytes(), []byte("\n")), cut: -1,
	}
}

func (a answer) write(w http.ResponseWriter) {
	if a.cut == 0 {
		panic(http.ErrAbortHandler)
	}
	for name, values := range a.header {
		w.Header()[name] = values
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(a.body)))
	w.WriteHeader(a.status)
	if a.cut > 0 {
		_, _ = w.Write(a.body[:min(a.cut, len(a.body))])
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}
	_, _ = w.Write(a.body) // the client may be gone: there is nothing to be done about it
}

// retryAfter is a header that asks for a wait of at least d, which RFC 9110 §10.2.3 counts in
// whole seconds.
func retryAfter(d time.Duration) string { return strconv.Itoa(int(math.Ceil(d.Seconds()))) }

// pause waits for d and reports whether the context lasted.
func pause(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return true
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
