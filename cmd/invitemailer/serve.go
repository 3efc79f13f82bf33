package main

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/invitemailer/invitemailer/cronofy"
	"github.com/invitemailer/invitemailer/internal/loopback"
	"github.com/invitemailer/invitemailer/internal/pages"
	"github.com/invitemailer/invitemailer/mailer/ledger"
	"github.com/invitemailer/invitemailer/mailer/ledger/sqlite"
	"github.com/invitemailer/invitemailer/mailer/rsvp"
)

// logLimit is how long serve waits for those who read its log, before it goes on
// without the line.
const logLimit = time.Second

// callbackPath is where callbacks are taken.
const callbackPath = "/cronofy/callback"

// serveCmd receives callbacks on one listener, which may face the world through a
// reverse proxy, and shows what they said on another, which does not.
type serveCmd struct {
	Listen string `placeholder:"ADDR" help:"Where callbacks are taken, at /cronofy/callback (default 127.0.0.1:8080, or INVITEMAILER_LISTEN)."`
	Admin  string `placeholder:"ADDR" help:"Where the page, /invites (JSON), /healthz and /metrics are (default 127.0.0.1:8081, or INVITEMAILER_ADMIN). Off loopback it needs INVITEMAILER_ADMIN_TOKEN."`

	SameApplication bool `help:"Record the API key as a new one of the application whose invites the ledger has. Needed once, after the key was replaced."`
}

// serving is what serve is made of.
type serving struct {
	listen, admin string
	secrets       []string
	token         string
}

func (c *serveCmd) run(ctx context.Context, inv *invocation) exitCode {
	if c.Listen != "" {
		inv.flags.Listen = c.Listen
	}
	if c.Admin != "" {
		inv.flags.Admin = c.Admin
	}
	var p problems
	s, cfg, err := inv.ledgerSettings("no answer could be kept", &p)
	if err != nil {
		return inv.fail(exitConfig, err.Error())
	}
	made := newServing(s, &p)
	var api rsvp.API // nil without a key
	if s.APIKey != "" || s.APIKeyFile != "" {
		cfg.cronofy(s, scopeAPI, &p)
		client, err := cronofy.New(cfg.api)
		p.addError(err)
		if err == nil {
			defer client.Close()
			api = client
		}
	}
	if len(p.texts) > 0 {
		return inv.misconfigured(s, p.texts)
	}
	log := cfg.logger(inv.screen)
	warnOfMisspelt(log)
	cfg.ledger.patience = inv.Patience
	cfg.ledger.keys, cfg.ledger.same = made.secrets, c.SameApplication
	// Of whatever API, and made if it is not there: the first callback may come
	// before the first invite of another run is on record.
	l, err := cfg.ledger.open(ctx, "", false, log)
	if err != nil {
		return inv.misconfiguredLedger(s, err)
	}
	defer func() {
		if err := l.Shutdown(context.Background()); err != nil {
			log.Warn("the ledger could not be shut down", "error", err)
		}
	}()
	public, err := listen(ctx, "--listen", made.listen)
	if err != nil {
		return inv.misconfigured(s, []string{err.Error()})
	}
	admin, err := listen(ctx, "--admin", made.admin)
	if err != nil {
		_ = public.Close()
		return inv.misconfigured(s, []string{err.Error()})
	}
	// A callback is not to wait for those who read the log.
	inv.Stderr.giveUpAfter(logLimit)
	out := &changes{w: inv.Stdout, broken: inv.stop.stop}
	measured := newMetrics()
	callbacks, err := rsvp.NewHandler(rsvp.Config{Secrets: made.secrets, Store: l, API: api, Logger: log, Observe: measured.callback,
		OnChange: func(ctx context.Context, change rsvp.Change) error {
			err := out.put(ctx, change)
			if err == nil {
				measured.changed(change.After.Status)
			}
			return err
		}})
	if err != nil {
		_, _ = public.Close(), admin.Close()
		return inv.misconfigured(s, []string{err.Error()})
	}
	stopDelivering := deliver(ctx, callbacks, log)
	failed := inv.finishing(func() error {
		return inv.serve(ctx, log,
			server{name: "callback", listener: public, handler: measured.counting("callback", publicPaths(callbacks))},
			server{name: "admin", listener: admin, handler: measured.counting("admin", adminPaths(made.token, l, out, measured.page(), pages.Invites(l, log, time.Now)))},
		)
	})
	stopDelivering()
	if err := out.failed(); err != nil {
		return inv.unwritten(err)
	}
	if failed != nil {
		return inv.fail(exitTempfail, failed.Error())
	}
	log.Info("stopped", "ledger", cfg.ledger.path)
	return exitOK
}

// deliverEvery is how soon is told what a run of send has recorded.
const deliverEvery = 2 * time.Second

// deliver offers, until stop is called, what no callback brings: that a run of send
// moved an event, so that it is not answered any more.
func deliver(ctx context.Context, callbacks *rsvp.Handler, log *slog.Logger) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(deliverEvery)
		defer tick.Stop()
		failing := false
		for {
			err := callbacks.Deliver(ctx)
			if err != nil && ctx.Err() == nil && !failing {
				log.Error("changes are recorded that could not be told; trying again", "error", err)
			}
			failing = err != nil
			select {
			case <-tick.C:
			case <-ctx.Done():
				return
			}
		}
	}()
	return func() {
		cancel()
		select {
		case <-done:
		case <-time.After(shutdownGrace): // nobody reads what is told
		}
	}
}

// newServing reads the settings that only serve has.
func newServing(s settings, p *problems) serving {
	made := serving{listen: s.Listen, admin: s.Admin}
	if s.APIKey != "" || s.APIKeyFile != "" {
		made.secrets = append(made.secrets, secret(s.APIKey, s.APIKeyFile, "CRONOFY_API_KEY", p))
	}
	made.secrets = append(made.secrets, list("CRONOFY_CALLBACK_SECRETS", secret(s.CallbackSecrets, s.CallbackSecretsFile, "CRONOFY_CALLBACK_SECRETS", p), p)...)
	if len(made.secrets) == 0 {
		p.add("CRONOFY_API_KEY", "is missing; callbacks are signed with it: give the application's client_secret")
	}
	made.token = secret(s.AdminToken, s.AdminTokenFile, "INVITEMAILER_ADMIN_TOKEN", p)
	address := func(setting, text string) {
		if _, port, err := net.SplitHostPort(text); err != nil {
			p.add(setting, "%q is no address; use one such as 127.0.0.1:8080", text)
		} else if n, err := strconv.Atoi(port); err != nil || n < 0 || n > 65535 {
			p.add(setting, "%q has no port from 0 to 65535", text)
		}
	}
	address("INVITEMAILER_LISTEN", made.listen)
	address("INVITEMAILER_ADMIN", made.admin)
	if made.token == "" && !loopback.Host(made.admin) {
		p.add("INVITEMAILER_ADMIN_TOKEN", "is missing, and INVITEMAILER_ADMIN is %s, which is not this machine alone: set a token, or listen on 127.0.0.1", made.admin)
	}
	return made
}

// publicPaths is all that the world can reach.
func publicPaths(callbacks http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.Handle(callbackPath, callbacks)
	return mux
}

// adminPaths is for those who run it. Health tells nothing about anybody, so that
// whatever watches it needs no token.
func adminPaths(token string, l *sqlite.Ledger, out *changes, metrics, invites http.Handler) http.Handler {
	guarded := http.NewServeMux()
	guarded.Handle("GET /metrics", metrics)
	guarded.Handle("/", invites)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, r *http.Request) {
		if _, err := l.Lookup(r.Context(), ledger.Key{InviteID: "healthz"}); err != nil {
			http.Error(w, "the ledger cannot be read", http.StatusServiceUnavailable)
			return
		}
		if out.w.unread() {
			http.Error(w, "nobody reads standard output, so no answer can be passed on", http.StatusServiceUnavailable)
			return
		}
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = w.Write([]byte("ok\n"))
	})
	mux.Handle("/", pages.Guard(token, guarded))
	return mux
}
