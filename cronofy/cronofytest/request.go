package cronofytest

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"
)

// kept is how many of the last requests and callbacks a server can tell of.
const kept = 1000

// history keeps the last of many, in their order.
type history[T any] struct {
	mu   sync.Mutex
	list []T
}

func (h *history[T]) add(entry T) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.list = append(h.list[max(0, len(h.list)+1-kept):], entry)
}

func (h *history[T]) last() []T {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.list)
}

// Request is one request as it arrived, also when it was refused.
type Request struct {
	N      int         // its number since the server was made, from 1
	At     time.Time   // when it arrived
	Method string      // the HTTP method: POST or GET
	Path   string      // the path as it was asked for
	Query  url.Values  // the parameters of the query
	Header http.Header // without Authorization
	Raw    []byte      // the body
	// Body is the JSON object in the body, numbers as [json.Number]; nil if there is none.
	Body map[string]any

	// Action is what a POST asks for: "request" (also when the body names no method), "cancel",
	// "remove", or any unknown method that it names; "status" for a GET.
	Action string
	// ID is the smart_invite_id.
	ID string
	// Recipients are the addresses of recipient, recipients or recipient_email.
	Recipients []string
}

// Requests returns the requests so far in the order of their arrival; of very many, the last
// 1,000. What it returns is shared: do not change it.
func (s *Server) Requests() []Request { return s.requests.last() }

// Count returns the number of requests so far.
func (s *Server) Count() int {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.count
}

func (s *Server) record(r *http.Request, raw []byte) *Request {
	request := &Request{
		At: s.options.Now(), Method: r.Method, Path: r.URL.Path, Query: r.URL.Query(), Raw: raw,
		Header: r.Header.Clone(),
	}
	request.Header.Del("Authorization")
	if r.Method == http.MethodGet {
		request.Action = "status"
		request.ID = request.Query.Get("smart_invite_id")
		if email := request.Query.Get("recipient_email"); email != "" {
			request.Recipients = []string{email}
		}
	} else if body, ok := decodeObject(raw); ok {
		request.Body = body
		request.Action = actionRequest
		if action, ok := body["method"].(string); ok {
			request.Action = action
		}
		request.ID, _ = body["smart_invite_id"].(string)
		request.Recipients = addresses(body)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.count++
	request.N = s.count
	s.requests.add(*request)
	return request
}

// decodeObject reads a JSON object with nothing after it.
func decodeObject(raw []byte) (map[string]any, bool) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var body map[string]any
	if err := d.Decode(&body); err != nil || body == nil {
		return nil, false
	}
	_, err := d.Token()
	return body, err == io.EOF
}

// addresses collects what is there of recipient and recipients, right or wrong.
func addresses(body map[string]any) []string {
	list, _ := body["recipients"].([]any)
	var found []string
	for _, v := range append([]any{body["recipient"]}, list...) {
		if o, ok := v.(map[string]any); ok {
			if email, ok := o["email"].(string); ok {
				found = append(found, email)
			}
		}
	}
	return found
}
