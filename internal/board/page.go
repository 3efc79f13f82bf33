package board

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"html/template"
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
var pages = sync.OnceValues(func() (*template.Template, error) {
	return template.New("pages").Funcs(template.FuncMap{
		"span": span, "moment": moment, "status": statusName, "tone": tone, "plural": plural, "proposed": proposed,
	}).ParseFS(files, "*.html")
})

// policy lets a page load its own style and script, ask where it came from, and
// nothing else (https://www.w3.org/TR/CSP3/).
const policy = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// protected sets what every answer has to say to a browser. A handler may say
// otherwise of its own page.
func protected(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cache-Control", "no-store") // addresses are in it
		next.ServeHTTP(w, r)
	})
}

// handleFiles serves style and script.
func handleFiles(mux *http.ServeMux) {
	for name, kind := range map[string]string{"board.css": "text/css; charset=utf-8", "board.js": "text/javascript; charset=utf-8"} {
		mux.HandleFunc("GET /"+name, func(w http.ResponseWriter, _ *http.Request) {
			text, err := files.ReadFile(name)
			if err != nil {
				http.Error(w, "the file is not there", http.StatusNotFound)
				return
			}
			w.Header().Set("Content-Type", kind)
			_, _ = w.Write(text) // who asks may have gone
		})
	}
}

// render writes a page as a whole. Whoever has the same already, as the script
// that looks for news does, is told so and given nothing.
func render(w http.ResponseWriter, r *http.Request, status int, name string, data any) error {
	t, err := pages()
	if err != nil {
		return fmt.Errorf("the templates of the pages: %w", err)
	}
	var b bytes.Buffer
	if err := t.ExecuteTemplate(&b, name, data); err != nil {
		return fmt.Errorf("the page %s: %w", name, err)
	}
	sum := sha256.Sum256(b.Bytes())
	tag := `"` + hex.EncodeToString(sum[:16]) + `"`
	w.Header().Set("ETag", tag)
	if status == http.StatusOK && r.Header.Get("If-None-Match") == tag {
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes()) // who asks may have gone
	return nil
}

// statusName is a status for people. One that is not known is shown as it is.
func statusName(s string) string {
	switch s {
	case Always:
		return "All"
	case Proposed:
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

func plural(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return fmt.Sprintf("%d %s", n, what)
}

// moment is when something was heard.
func moment(t *time.Time) string {
	if t == nil {
		return ""
	}
	return t.UTC().Format("2 Jan 2006, 15:04:05 MST")
}

// span is when an event is, by the clocks of its zone.
func span(start, end *time.Time, tzid string, allDay bool) string {
	switch {
	case start == nil && end == nil:
		return ""
	case start == nil:
		return "until " + in(*end, tzid).Format(clock)
	case allDay:
		first := start.UTC().Format(date)
		if end == nil || end.Sub(*start) <= 24*time.Hour {
			return first
		}
		return first + " – " + end.UTC().AddDate(0, 0, -1).Format(date)
	}
	from := in(*start, tzid)
	if end == nil || end.Equal(*start) {
		return from.Format(clock)
	}
	to := in(*end, tzid)
	if from.Format(date) == to.Format(date) {
		return from.Format(date+", 15:04") + "–" + to.Format("15:04 MST")
	}
	return from.Format(clock) + " – " + to.Format(clock)
}

// proposed is the time that is asked for, by the clocks of the zone it came in.
func proposed(p *Proposal) string { return span(&p.Start, &p.End, p.TZID, false) }

const (
	date  = "Mon 2 Jan 2006"
	clock = date + ", 15:04 MST"
)
