// Package submissiontest has SMTP servers to test submission against: an
// [Inbox] that takes mail, and a [FaultServer] that breaks where it is told to.
//
//	inbox := submissiontest.NewInbox(submissiontest.Options{})
//	defer inbox.Close()
//	s, err := submission.New(submission.Config{
//		Host: "localhost", TLS: submission.TLSNone, Dial: inbox.Dial,
//	})
//
// Both speak over memory (Dial) without any port, and over TCP once Start is
// called. Both keep what they were given for the test to compare.
//
// For measurements there is a [Relay], which makes the way to a server longer
// and counts the round trips on it, and a [Sink], which takes mail as fast as
// it comes and keeps none.
package submissiontest
