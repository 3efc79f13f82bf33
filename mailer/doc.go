// Package mailer puts an event into a person's calendar, by mail, in the caller's
// name, and knows afterwards what left.
//
// A [Mailer] takes each [Invite] along one way: it creates the Smart Invite at the API, reads the
// iCalendar text that comes back, renders and composes the mail, and submits it over SMTP. A
// [Receipt] says how that ended, and Receipt.Again whether the same invite may end better.
//
//	api, err := cronofy.New(cronofy.Config{APIKey: key})
//	…
//	smtp, err := submission.New(submission.Config{Host: "smtp.example.com", Username: user, Password: password})
//	…
//	hr := mailer.Organizer{Name: "HR", Email: "hr@example.com"}
//	m, err := mailer.New(mailer.Config{API: api, Submitter: smtp, Organizer: hr})
//	…
//	ann := mailer.Recipient{Email: "ann@example.org"}
//	receipt, err := m.Send(ctx, mailer.Invite{ID: "interview-17", Recipient: ann, Event: event})
//
// With a [Ledger] the same invite given again is not mailed again, a changed one is
// mailed as an update, and a crash leaves nothing to guess: everything is recorded
// before it is done. Without one, nothing is remembered.
//
// # What a receipt promises
//
// Sent means that the SMTP server took the message, and nothing more. Unknown means that the
// content may have left and no answer came; submission is then at-least-once or at-most-once, never
// exactly once (RFC 1047): the same bytes leave twice more at most, unless Config.OnUnknown says
// otherwise. Every other outcome means that nothing left.
//
// # Stopping
//
// Shut down the Mailer first, which waits for the invites in hand, then the Submitter, and the
// Ledger last, as the outcome of every mail is recorded in it:
//
//	err := errors.Join(m.Shutdown(ctx), smtp.Shutdown(ctx), record.Shutdown(ctx))
//
// If the context ends first, each returns and what is in hand goes on: end the contexts of the calls.
//
// # What it never does
//
// It never prints or exits, and logs only through the logger it is given: invites by id, recipients
// by domain. It changes nothing in a received calendar but its line ends.
package mailer
