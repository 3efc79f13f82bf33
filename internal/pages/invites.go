package pages

import (
	"cmp"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/invitemailer/invitemailer/internal/address"
	"github.com/invitemailer/invitemailer/internal/safetext"
	"github.com/invitemailer/invitemailer/mailer/ledger"
)

// Invites returns a handler of the invites of a ledger and their answers:
//
//	GET /         a page: ?status=accepted&when=upcoming&page=2
//	GET /invite   one invite with its history: ?id=ID&recipient=ADDRESS
//	GET /invites  the same as JSON: a [List], or with id and recipient an [Invite]
//
// The logger gets what could not be read; now is the clock.
func Invites(store Store, log *slog.Logger, now func() time.Time) http.Handler {
	h := invites{store, log, now}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", h.page)
	mux.HandleFunc("GET /invite", h.invite)
	mux.HandleFunc("GET /invites", h.json)
	return withFiles(mux)
}

type invites struct {
	store Store
	log   *slog.Logger
	now   func() time.Time
}

// statuses are those of the API, in the order of the page's filter.
var statuses = []string{ledger.StatusPending, "accepted", "tentative", "declined", proposedTime}

// readFilter reads the query; problem says what is no filter.
func readFilter(q url.Values) (f filter, problem string) {
	f = filter{status: q.Get("status"), when: cmp.Or(q.Get("when"), upcoming), page: 1}
	if f.status == always {
		f.status = ""
	}
	if len(f.status) > 64 {
		return f, "status is too long; use pending, accepted, tentative, declined or proposed"
	}
	if !slices.Contains([]string{upcoming, past, always}, f.when) {
		return f, "when is unknown; use upcoming, past or all"
	}
	if text := q.Get("page"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 {
			return f, "page is no number of at least 1"
		}
		f.page = n
	}
	return f, ""
}

// query is the filter for a link.
func (f filter) query() string {
	q := url.Values{}
	if f.status != "" {
		q.Set("status", f.status)
	}
	if f.when != upcoming {
		q.Set("when", f.when)
	}
	if f.page > 1 {
		q.Set("page", strconv.Itoa(f.page))
	}
	return "?" + q.Encode()
}

// choice is a link of the filter.
type choice struct {
	Name, Query string
	Count       int
	Chosen      bool
}

// invitesPage is what the template of the page is given.
type invitesPage struct {
	*List
	Statuses, Whens []choice
	Before, After   string // queries of the pages around
	Filtered        bool
}

// list returns the filter in the query and what it lets through. The list is nil if
// the request has been answered with an error.
func (h invites) list(w http.ResponseWriter, r *http.Request) (filter, *List) {
	f, problem := readFilter(r.URL.Query())
	if problem != "" {
		http.Error(w, problem, http.StatusBadRequest)
		return f, nil
	}
	l, err := list(r.Context(), h.store, f, h.now())
	if err != nil {
		h.fail(w, r, err)
		return f, nil
	}
	return f, l
}

func (h invites) page(w http.ResponseWriter, r *http.Request) {
	f, l := h.list(w, r)
	if l == nil {
		return
	}
	p := invitesPage{List: l, Filtered: f.status != ""}
	shown := append([]string{""}, statuses...)
	if !slices.Contains(shown, f.status) {
		shown = append(shown, f.status)
	}
	for _, s := range shown {
		word := cmp.Or(s, always)
		p.Statuses = append(p.Statuses, choice{
			Name: statusName(word), Query: filter{status: s, when: f.when}.query(),
			Count: l.Counts[word], Chosen: s == f.status,
		})
	}
	for _, when := range []string{upcoming, past, always} {
		p.Whens = append(p.Whens, choice{
			Name: statusName(when), Query: filter{status: f.status, when: when}.query(), Chosen: when == f.when,
		})
	}
	if l.Page > 1 {
		p.Before = filter{f.status, f.when, l.Page - 1}.query()
	}
	if l.Page < l.Pages {
		p.After = filter{f.status, f.when, l.Page + 1}.query()
	}
	render(w, r, h.log, http.StatusOK, "answers.html", p)
}

// key names an invite by the query; ok is false if there is none in it.
func key(q url.Values) (k ledger.Key, ok bool) {
	id, recipient := q.Get("id"), q.Get("recipient")
	if id == "" || recipient == "" {
		return k, false
	}
	k = ledger.Key{InviteID: id, Address: recipient}
	if parsed, err := address.Parse(recipient); err == nil {
		k.Address = parsed.Key()
	}
	return k, true
}

func (h invites) invite(w http.ResponseWriter, r *http.Request) {
	k, ok := key(r.URL.Query())
	if !ok {
		http.Error(w, "id or recipient is missing; give both", http.StatusBadRequest)
		return
	}
	v, err := one(r.Context(), h.store, k)
	switch {
	case err != nil:
		h.fail(w, r, err)
	case v == nil:
		render(w, r, h.log, http.StatusNotFound, "missing.html", nil)
	default:
		slices.Reverse(v.History) // people look for the latest
		render(w, r, h.log, http.StatusOK, "invite.html", v)
	}
}

func (h invites) json(w http.ResponseWriter, r *http.Request) {
	var result any
	if k, ok := key(r.URL.Query()); ok {
		v, err := one(r.Context(), h.store, k)
		switch {
		case err != nil:
			h.fail(w, r, err)
			return
		case v == nil:
			http.Error(w, "there is no such invite", http.StatusNotFound)
			return
		}
		result = v
	} else if _, l := h.list(w, r); l != nil {
		result = l
	} else {
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	encoder := json.NewEncoder(safetext.JSONWriter(w))
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(result) // the client may have gone
}

// fail tells the log what went wrong, and the browser that something did.
func (h invites) fail(w http.ResponseWriter, r *http.Request, err error) {
	if r.Context().Err() != nil {
		return // the client has gone
	}
	h.log.Error("the invites could not be read", "error", err)
	http.Error(w, "the invites could not be read; the log says why", http.StatusServiceUnavailable)
}
