// Package record reads invites that are written down, as JSON, JSON Lines or
// CSV, into items for [mailer.Mailer.SendAll].
//
// A record is a request of the Smart Invites API
// (https://docs.cronofy.com/developers/api/smart-invites/create-smart-invite/),
// as it stands. It may also say how the mail is to look; the API is not told:
//
//	recipient  name, locale, tzid (also in each of recipients)
//	mail       subject, template, data (an object), reply_to, locale
//
// # What is checked
//
// This package checks the form: names, types, times, what stands twice. The mailer says what an
// invite needs and how long its texts may be. Each record that is wrong is one item whose Err says
// in which field, line and column, and what to do; it holds the rest as far as it could be read, so
// that a report can name the invite. The other records go on.
//
// Names are compared exactly. One that is not known is wrong, as is one that stands twice in an
// object; inside event, names that are not known are passed on. null counts as absent. In an array
// of JSON, or in the header of CSV, a mistake in the syntax, half a character (an escape such as
// \ud83d alone) among them, is one item for the whole file, and none of its records is handed out.
//
// # Times
//
// event.start and event.end are what a [cronofy.EventTime] reads, or a local time such as
// 2027-04-29T09:30:00 (the seconds may be left out) in the zone of event.tzid, or of tzid beside it
// in {"time": …, "tzid": …}. A local time that the clocks of its zone never show, or show twice, is
// wrong: give it with its offset. So is a fraction of a second, which the API refuses.
//
// # Records that stand twice
//
// One invite, known by id and recipient, may stand in a file several times. With
// the same content the later ones are marked as repeats, with other content they
// are wrong. The same holds for a group, for each of its recipients. One id cannot
// have recipient in one place and recipients in another.
//
// # CSV
//
// The first row names the columns: smart_invite_id, method, callback_url, recipient.email,
// event.location.description and so on, and mail.data.KEY for templates. An empty cell is absent,
// an empty row is skipped. The minutes of event.reminders stand in one cell with spaces between. A
// row with a cell too many or too few is wrong by itself; a stray quote ends the file.
//
// Columns without name and content at the end, and a first line such as sep=; are what spreadsheets
// add, and are read past. Blanks around a smart_invite_id are no part of it; see [Source]. A
// formula, and an id that was shortened to a number such as 1.23E+12, are wrong.
//
// # Limits
//
// A record has at most [MaxRecord] octets, and an array of them 64 MiB. The array is in memory as a
// whole; of the other formats it is one record at a time. For each record that was read before there
// are about 200 octets, to find it again.
package record
