// Package cronofytest is a simulator of Cronofy's Smart Invites API, for testing programs that call
// it.
//
// It is an [http.Handler]: put it behind [net/http/httptest.NewServer], or use [Server.Transport] to
// leave the network out. It keeps state as the API does, every answer has the documented shape, and
// it is strict where a mistake would stay hidden until production: a key that the API does not
// document is a validation error (422), and so are limits passed, times with milliseconds, unknown
// zones.
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
// wrote ([Server.Reply]); [ReplyMail] writes such a mail. What changes something is posted to the
// invite's callback_url, signed with the key as the API signs, and repeated with growing waits until
// it is answered with 2xx or the tries are used up. Callbacks of one invite arrive in the order of
// the answers.
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
//   - An identical POST keeps SEQUENCE and has a newer DTSTAMP. So does a repeated cancel. Any change
//     to event, organizer or recipients raises SEQUENCE by one.
//   - A status falls back to pending when start or end change and with an invitation after a
//     cancellation.
//   - Addresses are compared without regard to case and echoed as last given.
//   - Form-encoded bodies, which the API accepts too, get 415. Broken JSON is 400. 401, 404, 405, 413,
//     415 and 429 have a line of plain text as body.
//   - Fields in errors are named by path: "event.start.tzid", "recipients[1].email".
//   - A summary is required. recurrence, subscriptions, event_classes and locale are accepted and
//     echoed and leave no trace in the calendar.
//   - A cancel takes the event from the invite as it stands. With recipients it must name all who are
//     invited; to take one out, there is remove, which answers with those who stay, their new calendar,
//     and attachments.removed. The last recipient cannot be removed (422).
//   - The single and the multiple form with the same smart_invite_id are two invites.
//   - A callback of an answer taken back (pending) has no reply. That of an invite for several has all
//     recipients too, and in recipient the one who answered, or if that person was not invited, the
//     first.
//   - Times with a zone are written in its local time, with a VTIMEZONE that is right for the event.
//     An instant that its zone's clocks show twice is written in UTC.
//
// Sources: the Smart Invites pages of https://docs.cronofy.com/developers/api/smart-invites/, RFC
// 5545, RFC 5546, RFC 6868, RFC 6068.
package cronofytest
