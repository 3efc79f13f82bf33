package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"
)

// Limits of a server. A callback has to be answered within 5 seconds, and no request is large.
const (
	headerTimeout  = 5 * time.Second
	readTimeout    = 10 * time.Second
	writeTimeout   = 20 * time.Second
	idleTimeout    = time.Minute
	maxHeaderBytes = 16 << 10
	// shutdownGrace is how long what is in hand may take at the end.
	shutdownGrace = 10 * time.Second
)

// server is a listener and what answers there.
type server struct {
	name     string // for the log
	listener net.Listener
	handler  http.Handler
}

// listen opens a listener. Its error names the flag to change.
func listen(ctx context.Context, flag, addr string) (net.Listener, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("%s: %w; name a host:port that is free", flag, err)
	}
	return l, nil
}

// serve answers on all servers until a signal comes, then finishes what is in hand. A second signal,
// which ends the context, breaks that off. The error is why a server ended by itself.
func (inv *invocation) serve(ctx context.Context, log *slog.Logger, servers ...server) error {
	var running sync.WaitGroup
	ended := make(chan error, len(servers))
	all := make([]*http.Server, len(servers))
	for i, s := range servers {
		all[i] = &http.Server{
			Handler: s.handler, ReadHeaderTimeout: headerTimeout, ReadTimeout: readTimeout,
			WriteTimeout: writeTimeout, IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeaderBytes,
			ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelWarn),
		}
		running.Go(func() {
			if err := all[i].Serve(s.listener); !errors.Is(err, http.ErrServerClosed) {
				ended <- fmt.Errorf("the %s server ended: %w", s.name, err)
			}
		})
		log.Info("listening", "server", s.name, "address", s.listener.Addr().String())
	}
	var failed error
	select {
	case <-inv.stop.Done():
	case failed = <-ended:
	case <-ctx.Done():
	}
	ctx, cancel := context.WithTimeout(ctx, shutdownGrace)
	defer cancel()
	for _, h := range all {
		running.Go(func() {
			if err := h.Shutdown(ctx); err != nil {
				log.Warn("not every request could be finished", "error", err)
				_ = h.Close()
			}
		})
	}
	running.Wait()
	return failed
}
