package main

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/invitemailer/invitemailer/internal/pages"
	"github.com/invitemailer/invitemailer/mailer/ledger"
	"github.com/invitemailer/invitemailer/mailer/ledger/sqlite"
	"github.com/invitemailer/invitemailer/mailer/rsvp"
)

const (
	// logLimit is how long serve waits for the reader of its log, before it goes on without the line.
	logLimit = time.Second
	// callbackPath is where callbacks are taken.
	callbackPath = "/cronofy/callback"
	// deliverEvery is how soon is told what a run of send has recorded.
	deliverEvery = 2 * time.Second
)

// serveCmd receives callbacks on one listener, which may face the world through a reverse proxy, and
// shows what they said on another, which does not.
type serveCmd struct {
	Listen string `placeholder:"ADDR" help:"${serve_listen}"`
	Admin  string `placeholder:"ADDR" help:"${serve_admin}"`

	SameApplication bool `help:"${same_application}"`
}

func (c *serveCmd) run(ctx context.Context, inv *invocation) exitCode {
	inv.flags.Listen, inv.flags.Admin = c.Listen, c.Admin
	s := inv.setup(scopeServe)
	defer s.close()
	var api rsvp.API // nil without a key
	if s.cfg.api.APIKey != "" {
		if client := s.client(); client != nil {
			api = client
		}
	}
	if len(s.texts) > 0 {
		return s.misconfigured()
	}
	warnOfMisspelt(s.log)
	s.cfg.ledger.SameApplication = c.SameApplication
	// Made if it is not there: a callback may come before another run records its first invite.
	l, err := s.openLedger(ctx)
	if err != nil {
		return s.unusableLedger(err)
	}
	public, err := listen(ctx, "--listen", s.cfg.listen)
	if err != nil {
		return s.misconfigured(err.Error())
	}
	defer func() { _ = public.Close() }() // the server has closed it, unless it never began
	admin, err := listen(ctx, "--admin", s.cfg.admin)
	if err != nil {
		return s.misconfigured(err.Error())
	}
	defer func() { _ = admin.Close() }()
	inv.Stderr.giveUpAfter(logLimit) // a callback is not to wait for the reader of the log
	out := inv.results(true)
	measured := newMetrics()
	callbacks, err := rsvp.NewHandler(rsvp.Config{
		Secrets: s.cfg.callbackSecrets, Store: l, API: api, Logger: s.log, Observe: measured.callback,
		OnChange: func(ctx context.Context, change rsvp.Change) error {
			err := out.put(ctx, newChangeLine(&change))
			if err == nil {
				measured.changed(change.After.Status)
			}
			return err
		},
	})
	if err != nil {
		return s.misconfigured(forUsers(err.Error()))
	}
	paths := http.NewServeMux() // all that the world can reach
	paths.Handle(callbackPath, callbacks)
	delivering, stopDelivering := context.WithCancel(ctx)
	var delivery sync.WaitGroup
	delivery.Go(func() { deliver(delivering, callbacks, s.log) })
	failed := inv.finishing(func() error {
		return inv.serve(ctx, s.log,
			server{name: "callback", listener: public, handler: measured.counting("callback", paths)},
			server{name: "admin", listener: admin, handler: measured.counting("admin",
				adminPaths(s.cfg.adminToken, l, inv.Stdout, measured.page(), pages.Invites(l, s.log, time.Now)))},
		)
	})
	stopDelivering()
	delivery.Wait()
	if err := out.failed(); err != nil {
		return inv.unwritten(err)
	}
	if failed != nil {
		return inv.fail(exitTempfail, failed.Error())
	}
	s.log.Info("stopped", "ledger", s.cfg.ledger.Path)
	return exitOK
}

// deliver tells, until ctx ends, what no callback brings: answers that a run of send outdated.
func deliver(ctx context.Context, callbacks *rsvp.Handler, log *slog.Logger) {
	failing := false
	for {
		err := callbacks.Deliver(ctx)
		if err != nil && ctx.Err() == nil && !failing {
			log.Error("changes are recorded that could not be told; trying again", "error", err)
		}
		failing = err != nil
		select {
		case <-time.After(deliverEvery):
		case <-ctx.Done():
			return
		}
	}
}

// adminPaths is for those who run it. Health says nothing of persons, and needs no token.
func adminPaths(token string, l *sqlite.Ledger, stdout *output, metrics, invites http.Handler) http.Handler {
	guarded := http.NewServeMux()
	guarded.Handle("GET /metrics", metrics)
	guarded.Handle("/", invites)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, r *http.Request) {
		if _, err := l.Lookup(r.Context(), ledger.Key{InviteID: "healthz"}); err != nil {
			http.Error(w, "the ledger cannot be read", http.StatusServiceUnavailable)
			return
		}
		if stdout.unread() {
			http.Error(w, "nobody reads standard output, so no answer can be passed on", http.StatusServiceUnavailable)
			return
		}
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = w.Write([]byte("ok\n"))
	})
	mux.Handle("/", pages.Guard(token, guarded))
	return mux
}
