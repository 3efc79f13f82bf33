// Package submissiontest has an SMTP server for tests: an [Inbox] that takes mail and keeps it.
//
//	inbox := submissiontest.NewInbox(submissiontest.Options{})
//	defer inbox.Close()
//	s, err := submission.New(submission.Config{
//		Host: "localhost", TLS: submission.TLSNone, Dial: inbox.Dial,
//	})
//
// It speaks over memory (Dial) without any port, and over TCP once Start is called.
package submissiontest
