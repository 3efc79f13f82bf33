package cronofytest

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing/iotest"
)

// Transport returns an [http.RoundTripper] that takes every request, to whatever host, straight
// to the server: no network, no goroutines. That makes it fit for testing/synctest, where
// latency, rate limits and the waits of a client pass in virtual time.
func (s *Server) Transport() http.RoundTripper { return transport{s} }

type transport struct{ server *Server }

// RoundTrip serves the request. A broken connection is an error that wraps [io.ErrUnexpectedEOF].
func (t transport) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		defer func() { _ = r.Body.Close() }()
	}
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	incoming := r.WithContext(r.Context()) // the server reads and does not write
	incoming.RequestURI = r.URL.RequestURI()
	if incoming.Body == nil {
		incoming.Body = http.NoBody
	}
	w := httptest.NewRecorder()
	broken := serve(t.server, w, incoming)
	response := w.Result()
	response.Request = r
	if !broken {
		return response, nil
	}
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	if !w.Flushed {
		return nil, fmt.Errorf("connection closed without an answer: %w", io.ErrUnexpectedEOF)
	}
	response.ContentLength = -1
	response.Body = io.NopCloser(io.MultiReader(response.Body, iotest.ErrReader(io.ErrUnexpectedEOF)))
	return response, nil
}

// serve reports whether the handler broke the connection.
func serve(h http.Handler, w http.ResponseWriter, r *http.Request) (broken bool) {
	defer func() {
		v := recover()
		if err, ok := v.(error); ok && errors.Is(err, http.ErrAbortHandler) {
			broken = true
		} else if v != nil {
			panic(v)
		}
	}()
	h.ServeHTTP(w, r)
	return false
}
