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

	// Action is what a POST asks for: "request" (also when the body names no method), "cancel", "remove", or whatever unknown
	// method it names; "status" for a GET.
	Action string
	// ID is the smart_invite_id.
	ID string
	// Recipients are the addresses of recipient, recipients or recipient_email.
	Recipients []string
}

// requestLog numbers the requests and keeps the last of them.
type requestLog struct {
	keep int

	mu    sync.Mutex
	count int
	kept  []Request
}

func (l *requestLog) add(r *Request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.count++
	r.N = l.count
	if l.keep < 0 {
		return
	}
	l.kept = append(l.kept, *r)
	if l.keep > 0 && len(l.kept) >= 2*l.keep {
		l.kept = slices.Clone(l.last())
	}
}

func (l *requestLog) last() []Request {
	if l.keep > 0 && len(l.kept) > l.keep {
		return l.kept[len(l.kept)-l.keep:]
	}
	return l.kept
}

// Requests returns the requests so far in the order of their arrival, or the last of them if [Options].KeepRequests says so.
// What it returns is shared: do not change it.
func (s *Server) Requests() []Request {
	s.log.mu.Lock()
	defer s.log.mu.Unlock()
	return slices.Clone(s.log.last())
}

// Count returns the number of requests so far, kept or not.
func (s *Server) Count() int {
	s.log.mu.Lock()
	defer s.log.mu.Unlock()
	return s.log.count
}

func (s *Server) record(r *http.Request, raw []byte) *Request {
	request := &Request{At: s.options.Now(), Method: r.Method, Path: r.URL.Path, Query: r.URL.Query(), Raw: raw}
	if s.options.Fault != nil || s.options.KeepRequests >= 0 { // else nobody will see it
		request.Header = r.Header.Clone()
		request.Header.Del("Authorization")
	}
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
	s.log.add(request)
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
	var found []string
	add := func(v any) {
		if o, ok := v.(map[string]any); ok {
			if email, ok := o["email"].(string); ok {
				found = append(found, email)
			}
		}
	}
	add(body["recipient"])
	if list, ok := body["recipients"].([]any); ok {
		for _, v := range list {
			add(v)
		}
	}
	return found
}
