// Package lint checks calendar invitations: the bytes of a mail (.eml) or of an iCalendar text
// (.ics) against the rules that make calendar clients show an invitation with working buttons.
//
//	for _, f := range lint.Check(data, lint.Options{Profile: lint.Any, Now: time.Now()}) {
//		fmt.Println(f.Level, f.Rule, f.Where, f.What)
//	}
//
// Each rule has a stable number, IM01 and so on, and is one small function that stands beside its
// documentation: what it wants, which client fails without it, where that is written, and how to
// fix it. [Rules] lists them, [Explain] prints one in full, and the file RULES.md beside this
// package is made from them.
//
// # Profiles
//
// [Own] is for mail that this project sends: everything, house rules too. [Any] is for the mail of
// others: what breaks clients or the standards, with the level lowered where well-known senders
// differ and clients cope. Mail shaped as Google Calendar, Exchange and Teams send it has no error
// under Any. A file whose lines all end in a bare LF has been through a file system and not through
// a server: Any passes over that, Own does not.
//
// # Whose mistake it is
//
// A finding is either of the mail around the calendar ([Composed]) or of the calendar itself
// ([Calendar]), which may have come from somewhere else. Fatal says that with this mistake clients
// show no invitation at all, whoever made it.
//
// # How it reads
//
// The bytes are read once into a tree of substrings, by readers of this package: a parser that
// forgives would hide the mistake. Nothing is corrected. Which calendar the rules look at: the
// first text/calendar part with a method, else the first text/calendar part, else the first
// application/ics part. The copy in the attachment is only compared with it (IM08).
//
// The input comes from outside and may be anything. Check never panics, takes time in proportion to
// the size, and stops at the limits below, which IM00 reports. A rule that is broken in many places
// reports the first ten and counts the rest.
//
// # Left to others
//
// Bytes cannot tell whether an un-invitation or a whole cancellation was meant: a CANCEL without
// STATUS takes single people out, and names "some or all" of them either way (RFC 5546 section
// 3.2.5). IM41 asks for STATUS:CANCELLED only where the earlier message shows that everyone is
// being told. The layouts with images (IM13), the aligned domain of From (IM62), the Message-ID of
// a repeat (IM71) and the escaping of HTML (IM73) are tests of a composer and not rules over bytes.
package lint

//go:generate go run ./internal/rulesdoc
