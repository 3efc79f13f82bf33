package main

import (
	"encoding/json"
	"net/http"
	"strconv"
	"sync"

	"github.com/mailhog/data"
	"github.com/mailhog/storage"
)

// Page sizes of MailHog's API.
const (
	defaultLimit = 50
	maxLimit     = 250
)

// mailbox is MailHog's storage behind a lock: it reads without one.
type mailbox struct {
	mu     sync.Mutex
	memory *storage.InMemory
}

// page is MailHog's answer to a list or a search, newest message first.
type page struct {
	Total int            `json:"total"`
	Count int            `json:"count"`
	Start int            `json:"start"`
	Items []data.Message `json:"items"`
}

// newAPI serves MailHog's API for reading and deleting what arrived, one request at a time.
func newAPI(b *mailbox) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /api/v2/messages", func(w http.ResponseWriter, r *http.Request) {
		start, limit := window(r)
		items, err := b.memory.List(start, limit)
		write(w, b.memory.Count(), start, items, err)
	})
	mux.HandleFunc("GET /api/v2/search", func(w http.ResponseWriter, r *http.Request) {
		kind, query := r.FormValue("kind"), r.FormValue("query")
		switch kind {
		case "from", "to", "containing":
		default:
			http.Error(w, "kind is not from, to or containing", http.StatusBadRequest)
			return
		}
		if query == "" {
			http.Error(w, "query is empty", http.StatusBadRequest)
			return
		}
		start, limit := window(r)
		items, total, err := b.memory.Search(kind, query, start, limit)
		write(w, total, start, items, err)
	})
	mux.HandleFunc("DELETE /api/v1/messages", func(w http.ResponseWriter, _ *http.Request) {
		writeError(w, b.memory.DeleteAll())
	})
	mux.HandleFunc("DELETE /api/v1/messages/{id}", func(w http.ResponseWriter, r *http.Request) {
		writeError(w, b.memory.DeleteOne(r.PathValue("id")))
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b.mu.Lock()
		defer b.mu.Unlock()
		mux.ServeHTTP(w, r)
	})
}

// window reads which part of the result is asked for; what makes no sense counts as not given.
func window(r *http.Request) (start, limit int) {
	limit = defaultLimit
	if n, err := strconv.Atoi(r.FormValue("start")); err == nil && n > 0 {
		start = n
	}
	if n, err := strconv.Atoi(r.FormValue("limit")); err == nil && n > 0 {
		limit = min(n, maxLimit)
	}
	return start, limit
}

func write(w http.ResponseWriter, total, start int, items *data.Messages, err error) {
	if err != nil {
		writeError(w, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	found := page{Total: total, Count: len(*items), Start: start, Items: *items}
	_ = json.NewEncoder(w).Encode(found) // an error here means that the client has gone
}

// writeError answers 500 when err is set, as MailHog does for any error, and
// otherwise leaves the answer 200 with an empty body.
func writeError(w http.ResponseWriter, err error) {
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
	}
}
