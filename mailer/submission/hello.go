package submission

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
)

// extensions is what the server's last EHLO offered (RFC 5321 section 4.1.1.1).
type extensions struct {
	size       bool  // RFC 1870
	maxSize    int64 // 0 is no limit
	eightBit   bool  // 8BITMIME, RFC 6152
	utf8       bool  // SMTPUTF8, RFC 6531
	startTLS   bool  // RFC 3207
	pipelining bool  // RFC 2920
	mechanism  []string
}

// readExtensions reads the lines of an EHLO reply behind the first. Keywords and mechanisms come in
// any case (RFC 5321 section 4.1.1.1, RFC 4422 section 3.1). Servers from before RFC 2554 say
// AUTH=LOGIN, and some say it both ways.
func readExtensions(lines []string) extensions {
	var ext extensions
	for _, line := range lines {
		keyword, params := line, ""
		if i := strings.IndexAny(line, " \t="); i >= 0 {
			keyword, params = line[:i], line[i+1:]
		}
		switch strings.ToUpper(keyword) {
		case "SIZE":
			limit, _, _ := strings.Cut(strings.TrimSpace(params), " ")
			ext.size = true
			ext.maxSize, _ = strconv.ParseInt(limit, 10, 64) // not a number: no limit is known
		case "8BITMIME":
			ext.eightBit = true
		case "SMTPUTF8":
			ext.utf8 = true
		case "STARTTLS":
			ext.startTLS = true
		case "PIPELINING":
			ext.pipelining = true
		case "AUTH":
			for _, mechanism := range strings.Fields(strings.ToUpper(params)) {
				if !slices.Contains(ext.mechanism, mechanism) {
					ext.mechanism = append(ext.mechanism, mechanism)
				}
			}
		}
	}
	return ext
}

// greet reads the server's greeting (RFC 5321 section 3.1). A silent server mostly waits for TLS to
// begin (RFC 8314 section 3.3).
func (c *session) greet(ctx context.Context) *Error {
	c.wire.within(commandTimeout)
	r, e := c.receive(ctx, StepGreeting, commandTimeout, nil)
	if e == nil {
		return c.check(command{step: StepGreeting, want: 220}, r)
	}
	silent := errors.Is(e, os.ErrDeadlineExceeded) || errors.Is(e, io.EOF)
	if silent && c.s.cfg.TLS != TLSImplicit {
		e.Advice = "the server said nothing: if its port speaks TLS from the start, as 465 does, " +
			"set Config.TLS=implicit"
	}
	return e
}

// hello says EHLO, and takes what the server offers. HELO follows only when the server says that it
// does not know EHLO (RFC 5321 section 3.2): after anything else the two sides are out of step.
func (c *session) hello(ctx context.Context) *Error {
	name := c.s.cfg.HELOName
	r, e := c.exchange(ctx, StepGreeting, commandTimeout, "EHLO "+name)
	offers := 1 // the first line of them
	if e == nil && (r.code == 500 || r.code == 502 || r.code == 504) {
		r, e = c.exchange(ctx, StepGreeting, commandTimeout, "HELO "+name)
		offers = len(r.lines) // what follows is talk
	}
	if e == nil {
		e = c.check(command{step: StepGreeting, want: 250}, r)
	}
	if e != nil {
		return e
	}
	c.greeting = clean(r.lines[0])
	c.ext = readExtensions(r.lines[offers:])
	return nil
}

// startTLS says STARTTLS. What comes with the answer came in clear, perhaps from an attacker on the
// way, and must not pass for what the server says under TLS (RFC 3207 section 6): it ends the
// session.
func (c *session) startTLS(ctx context.Context) *Error {
	_, e := c.do(ctx, command{StepTLS, "STARTTLS", 220, commandTimeout})
	if e != nil {
		if e.Code >= 400 {
			e.Err = errors.New("server offers STARTTLS, and refused it")
		}
		if e.Code >= 500 {
			e.config = true
			e.Advice = "use another port of the server, such as 465 with Config.TLS=implicit, " +
				"or have STARTTLS set up there"
		}
		return e
	}
	if n := c.r.Buffered(); n > 0 {
		c.broken = true
		return &Error{
			Step: StepTLS,
			Err:  fmt.Errorf("%w: %d bytes in clear behind the answer to STARTTLS", errOutOfStep, n),
			Advice: "an attacker on the way to the server may be adding commands or replies: " +
				"try from another network, or use TLS from the start",
		}
	}
	return nil
}
