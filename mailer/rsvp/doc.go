// Package rsvp records the recipients' answers: [NewHandler] takes the callbacks of the Smart
// Invites API, and [Refresh] asks the API, for applications that it cannot call back. Both record
// answers in a [Store] and tell the application of each change.
//
// # Callbacks
//
// Mount the handler at the callback URL of the invites, behind TLS. It answers
//
//	200  the store has it; or it is no news, of another type, or about an invite
//	     that the store does not know: the API need not repeat it
//	400  the body is not a callback
//	403  no signature fits
//	405  not a POST
//	413  the body is larger than 64 KiB
//	503  the store did not take it in time, or has it and OnChange did not, or the
//	     API could not be asked whether it is an old one: the API repeats it
//
// within five seconds, which is what the API waits for. An answer about an unknown invite is logged
// by its id and not recorded; an error would only make the API repeat it for a day.
//
// # Order
//
// A callback is signed without a time and can be repeated or replayed
// (https://docs.cronofy.com/developers/api/smart-invites/invite-callback/). The order in which
// callbacks come is all there is, with two exceptions. A repeat of a callback that was answered with
// 503 changes nothing if a newer one came between. And a status that the API was asked for before a
// callback came never overrides it. The next Refresh corrects what a replay or a lost callback put
// wrong.
//
// # What is answered
//
// An answer belongs to the revision that it answered, which [ledger.RSVP] names. When a mail has
// left that asks anew, and the API says that the recipient has not answered that, the store records
// a change to pending, with the source update. The next answer is news then, also if it says the
// same as the one to the old time.
//
// A callback names no revision. It counts for the latest whose mail left before it came. One that
// repeats the answer from before that mail, and comes within a day of it, may be an old one,
// delivered late: it is recorded as stale, and if Config.API is set the handler asks before it
// answers. What the API says then is told, unless it said the same before the recipient could
// answer. Without Config.API the next Refresh asks. [ledger.History] has the rules.
//
// # Delivery
//
// Each change is recorded first and then given to [OnChange], those of one invite in order, one at a
// time. A change that OnChange does not take (it returns an error or panics) stays recorded and is
// offered again before any later one: by [Handler.Deliver], by the next callback for that invite, or
// when Refresh asks about it. It is thus delivered at least once: after a crash, or with several
// processes on one ledger, perhaps twice. InviteID, Recipient and After.Number tell one from another.
//
// # Who answered
//
// An invitation can be forwarded. The Status of an [ledger.RSVP] is always that of the person who
// was invited; By and Reply say who answered instead, and what. Who is allowed to do so is for the
// application to decide.
package rsvp
