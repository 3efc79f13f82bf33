// Package cronofytest is a simulator of Cronofy's Smart Invites API, for testing programs that call
// it.
//
// It is an [http.Handler]: put it behind [net/http/httptest.NewServer], or use [Server.Transport] to
// leave the network out, and point the program at it. It keeps state as the API does: a Smart Invite
// is created by the first POST, changed by the next, cancelled, asked about. Every answer has the
// documented shape, and the iCalendar text in it is of the kind that real calendars send: time zone
// definitions, folded lines, quoted and encoded parameters, text outside ASCII.
//
// It is strict where a mistake would stay hidden until production. A key that the API does not
// document, anywhere in the request, is a validation error (422), and so are limits passed, times
// with milliseconds, unknown zones.
//
//	api := cronofytest.New(cronofytest.Options{})
//	server := httptest.NewServer(api)
//	defer server.Close()
//	// ... let the program call server.URL with any Bearer key ...
//	err := api.Answer(ctx, cronofytest.Answer{
//		InviteID: "interview-7", Recipient: "ada@example.com", Status: "accepted",
//	})
//
// # Answers and callbacks
//
// An answer comes from a test or a button ([Server.Answer]) or out of a mail that a calendar client
// wrote ([Server.Reply]); [ReplyMail] writes such mail as three clients do. What changes something
// is posted to the invite's callback_url, signed with the key as the API signs, and repeated with
// growing waits until it is answered with 2xx or the tries are used up. Callbacks of one invite
// arrive in the order of the answers. [Server.Wait] waits for them, [Server.Close] ends them,
// [Server.Callbacks] tells how they ended.
//
// Unless [Options].CallbackClient is set, callbacks reach loopback addresses only: a test must not
// call a program in production because its address stands in the data.
//
// # Faults
//
// [Options] slows answers down, enforces the rate limits, and asks a function before each answer
// whether something is to go wrong: see [Fault]. Faults that stand for a refusal ([FaultStatus],
// [FaultAnswer], [FaultHTML]) leave the state alone. Faults that spoil the answer come after the
// request was carried out, as when a connection breaks on the way back.
//
// # Where the documentation is silent
//
// The simulator had to choose; a program should not depend on these.
//   - An identical POST again keeps SEQUENCE and has a newer DTSTAMP. So does a repeated cancel. Any
//     change to event, organizer or recipients raises SEQUENCE by one. DTSTAMP is strictly newer with
//     each answer that changes something, even within one second.
//   - A status falls back to pending when start or end change and with an invitation after a
//     cancellation; otherwise it stays, and PARTSTAT shows it.
//   - Addresses are compared without regard to case and echoed as last given.
//   - Bodies must be JSON: form-encoded ones, which the API accepts too, get 415. Broken JSON is 400.
//   - Fields in errors are named by path: "event.start.tzid", "recipients[1].email".
//   - A summary is required, as in the API's create-or-update-event. recurrence, subscriptions,
//     event_classes and locale are accepted and echoed and leave no trace in the calendar.
//   - A cancel takes the event and organizer from the invite as it stands, whatever the request
//     repeats of them. With recipients it must name all who are invited; to take one out, there is
//     remove, which answers with those who stay, their new calendar, and attachments.removed with the
//     address. The last recipient cannot be removed (422).
//   - The single and the multiple form with the same smart_invite_id are two invites.
//   - A callback is posted for an answer that differs from the one before, and not for the rest. When
//     an answer is taken back (pending) it has no reply. That of an invite for several has recipients
//     as well, all of them, and in recipient the one who answered.
//   - An answer by a person who was not invited leaves the recipient's status as it is, and is among
//     the replies; if the invite is for several, the callback has the first of them as recipient.
//   - 401, 404, 405, 413, 415 and 429 have a line of plain text as body. Requests refused with 429 do
//     not count against the limit.
//   - Times with a zone are written in its local time, with a VTIMEZONE that is right for the event.
//     An instant that its zone's clocks show twice is written in UTC.
//   - ORGANIZER and ATTENDEE are URIs as in RFC 6068: what may not stand in one, letters outside ASCII
//     too, is percent-encoded.
//
// Sources: the Smart Invites pages of https://docs.cronofy.com/developers/api/smart-invites/, RFC
// 5545, RFC 5546, RFC 6868, RFC 6068.
package cronofytest
