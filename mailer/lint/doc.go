// Package lint checks calendar invitations: the bytes of a mail (.eml) or of an iCalendar text
// (.ics) against the rules that make calendar clients show an invitation with working buttons.
//
//	for _, f := range lint.Check(data, lint.Options{Profile: lint.Any, Now: time.Now()}) {
//		fmt.Println(f.Level, f.Rule, f.Where, f.What)
//	}
//
// Each rule has a stable number, IM01 and so on, and is one small function that stands beside its
// documentation: what it wants, which client fails without it, where that is written, and how to
// fix it. [Rules] lists them, [Explain] prints one in full, and RULES.md is made from them.
//
// # Profiles
//
// [Own] is for mail that this project sends: every rule, those of this project's own style too.
// [Any] is for the mail of others: what breaks clients or the standards, with the level lowered
// where well-known senders differ and clients cope. Mail shaped as Google Calendar, Exchange and
// Teams send it has no error under Any. A file whose lines all end in a bare LF has been through a
// file system and not through a server: Any passes over that, Own does not.
//
// # Whose mistake it is
//
// A finding is either of the mail around the calendar ([Composed]) or of the calendar itself
// ([Calendar]), which may have come from somewhere else. Fatal says that with this mistake clients
// show no invitation at all.
//
// # How it reads
//
// The readers keep what is wrong where it stands; the rules judge it. Nothing is corrected. The
// rules look at the calendar in the first text/calendar part with a method, else the first
// text/calendar part, else the first application/ics part. The copy in the attachment is only
// compared with it (IM08).
//
// The input comes from outside and may be anything. Check never panics, takes time in proportion to
// the size, and stops at limits, which IM00 reports: 16 MiB; 1,000 parts, 32 deep, with 10,000
// fields each; 100,000 content lines in components 16 deep. A rule that is broken in many places
// reports the first ten and counts the rest.
//
// # Left to others
//
// Bytes cannot tell whether a CANCEL without STATUS takes single people out or cancels the event
// (RFC 5546 section 3.2.5). IM41 asks for STATUS:CANCELLED only where the earlier message shows that
// all who were invited are told. IM13 (images), IM62 (aligned domain of From), IM71 (Message-ID of a
// repeat) and IM73 (escaped HTML) are tests of a composer.
package lint

//go:generate go run ./internal/rulesdoc
