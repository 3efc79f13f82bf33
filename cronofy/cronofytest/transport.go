package cronofytest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
)

// Transport returns an [http.RoundTripper] that takes every request, to whatever host, straight to the server: no network, no
// goroutines. That makes it fit for testing/synctest, where latency, rate limits and the waits of a client pass in virtual time.
func (s *Server) Transport() http.RoundTripper { return transport{s} }

type transport struct{ server *Server }

// RoundTrip serves the request. A broken connection is an error that wraps [io.ErrUnexpectedEOF], from here if it broke before the
// answer, else from reading the body.
func (t transport) RoundTrip(r *http.Request) (response *http.Response, err error) {
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
	w := &capture{header: http.Header{}, ending: io.EOF}
	broken := w.serve(t.server, incoming)
	length := int64(w.body.Len())
	if broken {
		if err := r.Context().Err(); err != nil {
			return nil, err
		}
		if w.status == 0 {
			return nil, fmt.Errorf("connection closed without an answer: %w", io.ErrUnexpectedEOF)
		}
		w.ending, length = io.ErrUnexpectedEOF, -1
	}
	return &http.Response{
		Status: fmt.Sprintf("%d %s", w.status, http.StatusText(w.status)), StatusCode: w.status,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: w.header, ContentLength: length, Body: io.NopCloser(w), Request: r,
	}, nil
}

// capture is a [http.ResponseWriter] that keeps what is written, then a reader of it.
type capture struct {
	header http.Header
	status int
	body   bytes.Buffer
	ending error // after the last byte
}

// serve reports whether the handler broke the connection.
func (w *capture) serve(h http.Handler, r *http.Request) (broken bool) {
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

// Header implements [http.ResponseWriter].
func (w *capture) Header() http.Header { return w.header }

// WriteHeader implements [http.ResponseWriter].
func (w *capture) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
}

// Write implements [http.ResponseWriter].
func (w *capture) Write(p []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	return w.body.Write(p)
}

// Read implements [io.Reader].
func (w *capture) Read(p []byte) (int, error) {
	n, err := w.body.Read(p)
	if errors.Is(err, io.EOF) {
		err = w.ending
	}
	return n, err
}
