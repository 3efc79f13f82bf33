package submission

import "context"

// Probe asks the server whether it would take a message for this envelope: MAIL
// and RCPT, and RSET after them. No message is begun. With the sender's own
// address as recipient it tells a server that refuses the sender from one that
// refuses recipients.
//
// It returns the answer to RCPT, on one line as in [Result]. The error is nil if
// that was 2xx, and otherwise holds an *[Error].
func (s *Submitter) Probe(ctx context.Context, env Envelope) (reply string, err error) {
	if e := env.examine(); e != nil {
		return "", e
	}
	r, e := s.deliver(ctx, env, content{none: true})
	if e != nil {
		res := e.hiding(env).result()
		return res.Reply, res.Err
	}
	return r.line(), nil
}

// probe is the transaction of Probe.
func (c *session) probe(ctx context.Context, env Envelope) (reply, *Error) {
	if e := c.ready(ctx, false); e != nil {
		return reply{}, e
	}
	if e := c.sayMail(ctx, env, content{none: true}); e != nil {
		return reply{}, e
	}
	r, e := c.exchange(ctx, StepRcpt, c.timeouts.Command, 0, appendRcpt(nil, env)) // 0: the text is wanted
	switch {
	case e != nil:
		return reply{}, e
	case r.refuses():
		e = refusal(StepRcpt, r)
	case !r.answers(StepRcpt, 250):
		c.broken = true
		return reply{}, outOfStep(StepRcpt, r)
	}
	if !c.broken {
		_ = c.ready(ctx, false) // RSET; a connection that fails it is dropped, and the answer stands
	}
	return r, e
}
