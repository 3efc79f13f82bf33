// Package cronofy is a client of Cronofy's Smart Invites API
// (https://docs.cronofy.com/developers/api/smart-invites/).
//
// A Smart Invite is a calendar invitation whose answers Cronofy tracks. The API makes the iCalendar
// text and mails nothing: the caller sends the text to the recipient, and Cronofy learns of the
// answer from the calendar.
//
// [New] makes a [Client] from a [Config]; an API key is all that it needs. Each call but
// [Client.Status] returns in Attachments.ICalendar what has to be mailed; an answer without it is no
// error here. [VerifyCallback] and [ParseCallback] read what Cronofy posts to a callback URL.
//
// # Errors
//
// Every error of a request holds an [*Error], found by [errors.As]: its Status is that of the API's
// answer, its Retryable says whether the same request may succeed later. Context errors are found by
// [errors.Is]. No error, log line or printed value holds the key, and none holds the address of a
// recipient.
//
// # Repeats and limits
//
// A failed exchange is repeated after a missing answer, a 429 and a 500, 502, 503 or 504, up to
// [Config.MaxAttempts] times in all. This is harmless: the API knows an invite by its id and
// recipient. The waits are random and grow, and are never shorter than Retry-After asks. After a 429
// all that share the Client wait as long as the API asks for, or if it does not say, as long as the
// request that was refused.
//
// The API takes 50 requests a second and 500 a minute from one application. A Client keeps to both,
// over sliding windows, first come first served, and waits as long as that takes; bound it with the
// context. A request counts until a second, and a minute, after its answer, so that the limits are
// kept where the API counts, however long the ways there take.
//
// # Connections
//
// Without a Transport of the caller's, a Client speaks HTTP/2 where the server does, over one
// connection that is kept and watched; with HTTP/1.1 it keeps as many as requests were under way. A
// kept connection that the server has closed is replaced without a failed attempt.
package cronofy
