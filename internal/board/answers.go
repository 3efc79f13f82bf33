package board

import (
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

// Answers serves the invites of a ledger and their answers:
//
//	GET /         a page: ?status=accepted&when=upcoming&page=2
//	GET /invite   one invite with its history: ?id=ID&recipient=ADDRESS
//	GET /invites  the same as JSON: a [List], or with id and recipient an [Invite]
type Answers struct {
	// Store is what is shown. Required.
	Store Store
	// Logger is told what could not be read; nil means silence.
	Logger *slog.Logger
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

// Handler returns the handler. It is safe for concurrent use.
func (a Answers) Handler() http.Handler {
	if a.Logger == nil {
		a.Logger = slog.New(slog.DiscardHandler)
	}
	if a.Now == nil {
		a.Now = time.Now
	}
	mux := http.NewServeMux()
	handleFiles(mux)
	mux.HandleFunc("GET /{$}", a.page)
	mux.HandleFunc("GET /invite", a.invite)
	mux.HandleFunc("GET /invites", a.json)
	return protected(mux)
}

// statuses are those of the API, in the order of the page's filter.
var statuses = []string{ledger.StatusPending, "accepted", "tentative", "declined", Proposed}

// filter reads the query; what is no filter is told.
func filter(q url.Values) (f Filter, problem string) {
	f = Filter{Status: q.Get("status"), When: q.Get("when"), Page: 1}
	if f.Status == Always {
		f.Status = ""
	}
	if len(f.Status) > 64 {
		return f, "status is too long; use pending, accepted, tentative, declined or proposed"
	}
	switch f.When {
	case "":
		f.When = Upcoming
	case Upcoming, Past, Always:
	default:
		return f, "when is unknown; use upcoming, past or all"
	}
	if text := q.Get("page"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 {
			return f, "page is no number of at least 1"
		}
		f.Page = n
	}
	return f, ""
}

// choice is a link of the filter.
type choice struct {
	Name, Query string
	Count       int
	Counted     bool
	Chosen      bool
}

// answersPage is what the template of the page is given.
type answersPage struct {
	*List
	Statuses, Whens []choice
	Before, After   string // queries of the pages around
	Filtered        bool
}

// asked returns the filter in the query and what it lets through. The list is nil if the request has been answered with an error.
func (a Answers) asked(w http.ResponseWriter, r *http.Request) (Filter, *List) {
	f, problem := filter(r.URL.Query())
	if problem != "" {
		http.Error(w, problem, http.StatusBadRequest)
		return f, nil
	}
	l, err := list(r.Context(), a.Store, f, a.Now())
	if err != nil {
		a.fail(w, r, err)
		return f, nil
	}
	return f, l
}

func (a Answers) page(w http.ResponseWriter, r *http.Request) {
	f, l := a.asked(w, r)
	if l == nil {
		return
	}
	p := answersPage{List: l, Filtered: f.Status != ""}
	query := func(status, when string, page int) string {
		q := url.Values{}
		if status != "" && status != Always {
			q.Set("status", status)
		}
		if when != Upcoming {
			q.Set("when", when)
		}
		if page > 1 {
			q.Set("page", strconv.Itoa(page))
		}
		return "?" + q.Encode()
	}
	shown := append([]string{Always}, statuses...)
	if f.Status != "" && !slices.Contains(shown, f.Status) {
		shown = append(shown, f.Status)
	}
	for _, s := range shown {
		p.Statuses = append(p.Statuses, choice{Name: statusName(s), Query: query(s, f.When, 1), Count: l.Counts[s], Counted: true,
			Chosen: s == f.Status || s == Always && f.Status == ""})
	}
	for _, when := range []struct{ word, name string }{{Upcoming, "Upcoming"}, {Past, "Past"}, {Always, "All"}} {
		p.Whens = append(p.Whens, choice{Name: when.name, Query: query(f.Status, when.word, 1), Chosen: when.word == f.When})
	}
	if l.Page > 1 {
		p.Before = query(f.Status, f.When, l.Page-1)
	}
	if l.Page < l.Pages {
		p.After = query(f.Status, f.When, l.Page+1)
	}
	a.render(w, r, http.StatusOK, "answers.html", p)
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

func (a Answers) invite(w http.ResponseWriter, r *http.Request) {
	k, ok := key(r.URL.Query())
	if !ok {
		http.Error(w, "id or recipient is missing; give both", http.StatusBadRequest)
		return
	}
	v, err := one(r.Context(), a.Store, k)
	switch {
	case err != nil:
		a.fail(w, r, err)
	case v == nil:
		a.render(w, r, http.StatusNotFound, "missing.html", nil)
	default:
		slices.Reverse(v.History) // people look for the latest
		a.render(w, r, http.StatusOK, "invite.html", v)
	}
}

func (a Answers) json(w http.ResponseWriter, r *http.Request) {
	var result any
	if k, ok := key(r.URL.Query()); ok {
		v, err := one(r.Context(), a.Store, k)
		if err != nil {
			a.fail(w, r, err)
			return
		}
		if v == nil {
			http.Error(w, "there is no such invite", http.StatusNotFound)
			return
		}
		result = v
	} else {
		_, l := a.asked(w, r)
		if l == nil {
			return
		}
		result = l
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	encoder := json.NewEncoder(safetext.JSONWriter(w))
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(result) // who asks may have gone
}

func (a Answers) render(w http.ResponseWriter, r *http.Request, status int, name string, data any) {
	if err := render(w, r, status, name, data); err != nil {
		a.fail(w, r, err)
	}
}

// fail tells the log what went wrong, and the browser that something did.
func (a Answers) fail(w http.ResponseWriter, r *http.Request, err error) {
	if r.Context().Err() != nil {
		return // nobody waits for it
	}
	a.Logger.Error("the invites could not be read", "error", err)
	http.Error(w, "the invites could not be read; the log says why", http.StatusServiceUnavailable)
}
