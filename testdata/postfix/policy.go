package main

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"strings"
	"sync"
)

// policy is a server that Postfix asks at each recipient what to do (check_policy_service).
type policy struct {
	net.Listener
	decide func(attributes map[string]string) (action string)
	mu     sync.Mutex // one decision at a time
}

func newPolicy(ctx context.Context, decide func(attributes map[string]string) (action string)) (*policy, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &policy{Listener: l, decide: decide}
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return // it was closed
			}
			go p.answer(conn)
		}
	}()
	return p, nil
}

// restriction is how Postfix is told to ask.
func (p *policy) restriction() string {
	return "check_policy_service inet:" + p.Addr().String()
}

// answer answers requests until Postfix leaves. Each is lines of name=value up to an empty one.
func (p *policy) answer(conn net.Conn) {
	defer func() { _ = conn.Close() }()
	attributes := make(map[string]string)
	for lines := bufio.NewScanner(conn); lines.Scan(); {
		if name, value, ok := strings.Cut(lines.Text(), "="); ok {
			attributes[name] = value
			continue
		}
		p.mu.Lock()
		action := p.decide(attributes)
		p.mu.Unlock()
		if _, err := fmt.Fprintf(conn, "action=%s\n\n", action); err != nil {
			return
		}
		clear(attributes)
	}
}
