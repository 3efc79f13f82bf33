// Package submission hands finished messages to an SMTP server (message
// submission, RFC 6409) and says exactly how each one ended.
//
//	s, err := submission.New(submission.Config{
//		Host: "smtp.example.com", Username: "boss", Password: secret,
//	})
//	...
//	defer s.Close()
//	result := s.Submit(ctx, submission.Envelope{From: from, To: to}, message)
//
// # Outcomes
//
// A submission ends in one of four ways (see [Outcome]). The border between
// known and unknown is the block of content that holds the final dot. Before
// it is written the server cannot have accepted, whatever happens: NotBegun,
// or Refused when the server said so. After that only the reply to the dot
// tells: 2xx is Accepted, 4xx and 5xx are Refused, and anything else (silence,
// a broken connection, an ended context, words that are no reply) is Unknown.
// Nothing is ever submitted a second time by this package.
//
// A short message leaves in one block. So whoever must survive a crash records
// "about to submit" before calling Submit, and clears it by the Result.
//
// # Connections
//
// go-mail opens each connection: it dials, reads the greeting, says EHLO and
// starts TLS, and has the login mechanisms. The transaction is our own, in
// lock-step: MAIL, RCPT, DATA, content. Connections are kept for the next
// message; RSET is said only after a transaction that stopped half-way, NOOP
// only after 30 seconds of idleness. A kept connection that turns out dead
// before MAIL was answered is replaced once, unnoticed. After anything out of
// step a connection is dropped.
//
// TLS is mandatory unless configured otherwise ([TLSNone]), TLS 1.2 at least,
// and a login never leaves this machine in clear.
//
// # Configuration errors
//
// Result.Config tells what no repeat mends: a refused login, no TLS, a
// certificate that does not fit. [Submitter.Check] finds these beforehand.
package submission
