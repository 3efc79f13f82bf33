package submission

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"
)

// CheckStep is one line of what [Submitter.Check] found.
type CheckStep struct {
	Name   string // "connect", "tls" or "login"
	OK     bool
	Detail string // what was found
	Advice string // what to do when it is not OK; with OK, a warning
	// Temporary: it is not OK for now, and may be later without a change.
	Temporary bool
}

// Probe asks the server whether it would take a message for this envelope: MAIL and RCPT, and RSET
// after them. No message is begun. With the sender's own address as recipient it tells a server
// that refuses the sender from one that refuses recipients.
//
// It returns the answer to RCPT, on one line as in [Result]. The error is nil if that was 2xx, and
// otherwise holds an *[Error].
func (s *Submitter) Probe(ctx context.Context, env Envelope) (reply string, err error) {
	if e := env.examine(); e != nil {
		return "", e
	}
	r, e := s.deliver(ctx, env, content{none: true})
	if e != nil {
		res := e.result(env)
		return res.Reply, res.Err
	}
	return r.line(), nil
}

// checkFor is how long a check takes at most: a person waits for it.
const checkFor = 15 * time.Second

// Check connects, protects the connection and logs in, and then says QUIT: it sends no message. It
// returns a CheckStep for each, up to the first that fails. That takes 15 seconds at most. Ask
// [Submitter.Probe] next whether the server takes mail from a sender.
func (s *Submitter) Check(ctx context.Context) []CheckStep {
	c, e := s.connect(ctx, checkFor)
	if e != nil {
		return s.failedSteps(e)
	}
	defer c.quit()
	login := CheckStep{Name: "login", OK: true, Detail: "none asked for"}
	switch {
	case c.mechanism != "":
		login.Detail = c.mechanism + " accepted"
	case len(c.ext.mechanism) > 0:
		login.Detail = "none, although the server offers one (" + strings.Join(c.ext.mechanism, ", ") + ")"
		login.Advice = "set Config.Username and Config.Password if the server refuses mail without them"
	}
	return []CheckStep{
		{Name: "connect", OK: true, Detail: fmt.Sprintf("%s, which says %q", s.address(), c.greeting)},
		{Name: "tls", OK: true, Detail: c.describeTLS(s.cfg.TLS)},
		login,
	}
}

// failedSteps is what is known when connect failed with e.
func (s *Submitter) failedSteps(e *Error) []CheckStep {
	steps := []CheckStep{
		{Name: "connect", OK: true, Detail: s.address()},
		{Name: "tls", OK: true, Detail: string(s.cfg.TLS)},
		{Name: "login"},
	}
	last := 0
	switch e.Step {
	case StepTLS:
		last = 1
	case StepLogin:
		last = 2
	}
	bare := *e
	bare.Advice = ""
	failed := CheckStep{Name: steps[last].Name, Detail: bare.Error(), Advice: e.Advice}
	failed.Temporary = e.result(Envelope{}).Temporary
	steps[last] = failed
	return steps[:last+1]
}

func (s *Submitter) address() string {
	return net.JoinHostPort(s.cfg.Host, strconv.Itoa(s.cfg.Port))
}

func (c *session) describeTLS(mode TLSMode) string {
	if c.tls == nil {
		return "not used (Config.TLS=none)"
	}
	detail := fmt.Sprintf("%s (%s)", c.protection(), mode)
	if certs := c.tls.PeerCertificates; len(certs) > 0 {
		detail += ", certificate valid until " + certs[0].NotAfter.UTC().Format(time.DateOnly)
	}
	return detail
}
