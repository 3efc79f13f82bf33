// Package pages shows invites and their answers in a browser, and as JSON to
// programs. It has two pages:
//
//   - [Invites] reads a ledger: which invites there are, by the time of their
//     events, how each was answered, and the history of one. Nothing can be changed
//     there.
//   - [Sandbox] shows what a sandbox holds: the invites, with buttons to answer
//     each as its recipient would, and the mails that arrived, with a preview.
//
// Both are plain HTML that works without any script. Where one may run, a small one
// looks every second whether there is news and puts in the parts that changed; it
// keeps the focus and what was unfolded. Nothing is loaded from anywhere else, and
// the Content Security Policy of each answer says so to the browser.
//
// # Who may see it
//
// Both show people's addresses. [Guard] is to stand before them: on a loopback address it lets only
// requests pass that were meant for this machine, and otherwise it asks for a token.
package pages

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"html/template"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"
)

//go:embed *.html board.css board.js
var files embed.FS

// pages are the templates, parsed when they are first asked for.
var pages = sync.OnceValue(func() *template.Template {
	return template.Must(template.New("pages").Funcs(template.FuncMap{
		"span": span, "moment": timeOfAnswer, "status": statusName, "tone": tone, "subject": subject,
	}).ParseFS(files, "*.html"))
})

// policy lets a page load its own style and script, ask where it came from, and
// nothing else (https://www.w3.org/TR/CSP3/).
const policy = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; form-action 'self'; " +
	"base-uri 'none'; frame-ancestors 'none'"

// withFiles adds style and script, and sets what every answer has to say to a
// browser. A handler may say otherwise of its own page.
func withFiles(mux *http.ServeMux) http.Handler {
	for _, name := range []string{"board.css", "board.js"} {
		mux.Handle("GET /"+name, http.FileServerFS(files))
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cache-Control", "no-store") // addresses are in it
		mux.ServeHTTP(w, r)
	})
}

// render writes a page as a whole. A browser that has the same already, as the
// script that looks for news does, is told so and given nothing.
func render(w http.ResponseWriter, r *http.Request, log *slog.Logger, status int, name string, data any) {
	var b bytes.Buffer
	if err := pages().ExecuteTemplate(&b, name, data); err != nil {
		log.Error("the page cannot be shown", "error", err)
		http.Error(w, "the page cannot be shown; the log says why", http.StatusInternalServerError)
		return
	}
	sum := sha256.Sum256(b.Bytes())
	tag := `"` + hex.EncodeToString(sum[:16]) + `"`
	w.Header().Set("ETag", tag)
	if status == http.StatusOK && r.Header.Get("If-None-Match") == tag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes()) // the browser may have gone
}

// statusName is a status for people. One that is not known is shown as it is.
func statusName(s string) string {
	switch s {
	case always:
		return "All"
	case proposedTime:
		return "New time proposed"
	case "":
		return "Unknown"
	}
	first, size := utf8.DecodeRuneInString(s)
	return string(unicode.ToUpper(first)) + strings.ReplaceAll(s[size:], "_", " ")
}

// tone is the class of a status.
func tone(s string) string {
	switch s {
	case "accepted":
		return "good"
	case "declined":
		return "bad"
	case "tentative":
		return "warn"
	}
	return "plain"
}

const (
	date  = "Mon 2 Jan 2006"
	clock = date + ", 15:04 MST"
)

// timeOfAnswer is when an answer or a mail came; empty if it is not known.
func timeOfAnswer(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2 Jan 2006, 15:04:05 MST")
}

// span is when an event is, or might be, by the clocks of its zone.
func span(start, end time.Time, tzid string, allDay bool) string {
	switch {
	case start.IsZero() && end.IsZero():
		return ""
	case start.IsZero():
		return "until " + in(end, tzid).Format(clock)
	case allDay:
		first := start.UTC().Format(date)
		if end.Sub(start) <= 24*time.Hour {
			return first
		}
		return first + " – " + end.UTC().AddDate(0, 0, -1).Format(date)
	}
	from, to := in(start, tzid), in(end, tzid)
	switch {
	case end.IsZero() || end.Equal(start):
		return from.Format(clock)
	case from.Format(date) == to.Format(date):
		return from.Format(date+", 15:04") + "–" + to.Format("15:04 MST")
	}
	return from.Format(clock) + " – " + to.Format(clock)
}
