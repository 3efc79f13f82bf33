// Package submission hands finished messages to an SMTP server (message
// submission, RFC 6409) and says exactly how each one ended.
//
//	s, err := submission.New(submission.Config{
//		Host: "smtp.example.com", Username: "boss", Password: secret,
//	})
//	...
//	defer s.Shutdown(ctx)
//	result := s.Submit(ctx, submission.Envelope{From: from, To: to}, message)
//
// # Outcomes
//
// A submission ends in one of four ways (see [Outcome]). The border between known and unknown
// is the block of content that holds the final dot. Before it is written the server cannot
// have accepted: NotBegun, or Refused when the server said so. After that only the reply to
// the dot tells: 2xx is Accepted, 4xx and 5xx are Refused, anything else (silence, a broken
// connection, an ended context, text that is no reply) is Unknown. The content of a message is
// never handed over a second time by this package.
//
// A short message leaves in one block. So a caller that must survive a crash records "about to
// submit" before calling Submit, and clears it by the Result.
//
// A refusal for good may be about the recipient, the message, or us. Result.Cause is what one
// reply says of that. What it leaves open ([CausePolicy], [CauseUnclear]) is for the caller to
// judge, by what became of other messages and by [Submitter.Probe]. Result.Config tells what no
// repeat fixes: a refused login, no TLS, a certificate that does not fit. [Submitter.Check]
// finds these beforehand.
//
// # Connections
//
// Up to Config.Connections are open at once, shared by all who call Submit, first come, first
// served. A connection is opened when there is a message and no idle connection for it, closed
// when it has been idle for 4 minutes, and replaced after 100 messages. After anything out of
// step it is dropped. A kept connection that turns out dead before MAIL was answered is
// replaced once, unnoticed.
//
// A server may want fewer: when it refuses or breaks a connection before its first message, or
// says 421, while others stand, then there are only those others for 5 minutes. The message
// that met this waits for one of them.
//
// When no connection can be had at all, the message ends with what it met, and connections are
// not begun for up to 1 second, 2, 4, and so on up to 30, of which a random half is taken off.
// Submit waits for that for 5 seconds at most and returns NotBegun, temporary, when it would
// have to wait for longer.
//
// TLS is mandatory unless configured otherwise ([TLSNone]), TLS 1.2 at least, and a login never
// leaves this machine in clear. What takes longer than 10 seconds is told in the log.
//
// # Round trips
//
// To a server that offers PIPELINING (RFC 2920), MAIL, RCPT and DATA go in one write, so that a
// message on a kept connection costs two round trips: that group, and the content, once DATA
// was answered with 354. To any other server the commands go in lock-step: four round trips.
//
// An offer is no proof. Until the server has answered one group as it should, a group of which
// it leaves MAIL or RCPT unanswered for 30 seconds, or answers otherwise than it may, is
// repeated on a new connection in lock-step. If that is answered, everything goes in lock-step
// until the Submitter is closed.
package submission
