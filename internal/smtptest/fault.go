package smtptest

import (
	"strings"
	"sync/atomic"
)

// Point is a place in a conversation at which a [Server] can misbehave, named after what the client
// has just done.
type Point string

// The points, in the order of a conversation.
const (
	AtGreeting Point = "greeting" // the client connected
	AtEHLO     Point = "ehlo"     // or HELO
	AtSTARTTLS Point = "starttls"
	AtAuth     Point = "auth"
	AtMail     Point = "mail"
	AtRcpt     Point = "rcpt"
	AtData     Point = "data"
	AtContent  Point = "content" // inside the content, see Fault.Bytes
	AtDot      Point = "dot"     // the content is complete
	AtRset     Point = "rset"
	AtNoop     Point = "noop"
	AtQuit     Point = "quit"
)

// Points returns all of them, in the order of a conversation.
func Points() []Point {
	return []Point{AtGreeting, AtEHLO, AtSTARTTLS, AtAuth, AtMail, AtRcpt, AtData, AtContent, AtDot,
		AtRset, AtNoop, AtQuit}
}

// Event is one moment at which a [Script] is asked.
type Event struct {
	Conn        int // which connection, from 1
	Transaction int // how many MAILs the server has seen, on all connections; that MAIL included
	Point       Point
}

// Action is what a server does with the connection after a fault.
type Action int

// The actions.
const (
	Continue Action = iota // go on as if nothing had happened
	Close                  // close the connection
	Reset                  // close it with a TCP reset; in memory the same as Close
	Silence                // say and do nothing more, until the client leaves
	Deaf                   // read nothing more either, until the server is closed
)

// Groups is how a [Server] takes commands that came together.
type Groups int

// The ways to take them.
const (
	GroupsTaken      Groups = iota // one after the other (RFC 2920)
	GroupsFlushed                  // a refusal throws away what had come with the command
	GroupsOneCommand               // only the first command of each read is taken
	GroupsHangUp                   // a second command in one read ends the connection
)

// Fault is one misbehaviour. The zero value is to behave well.
type Fault struct {
	// Reply is sent instead of the right answer: a line or several, separated by CRLF, without the
	// last one. At AtContent it also takes the place of the answer to the dot.
	Reply string
	// Answer gives the right answer first, and then does the rest.
	Answer bool
	// Then is done last.
	Then Action
	// Bytes is how many bytes of content are read before a fault at AtContent strikes. Less than
	// one is one.
	Bytes int
	// Lost, at AtDot, makes the server forget the message. Otherwise it takes a message even when
	// no answer says so; only a reply of 4xx or 5xx refuses.
	Lost bool
	// OneByte sends every byte in a packet of its own.
	OneByte bool
}

func (f Fault) none() bool { return f == Fault{} }

// rightly reports whether the right answer is given.
func (f Fault) rightly() bool { return f.Answer || f.Reply == "" && f.Then == Continue }

// answers reports whether the answer is the right one, or another that begins so.
func (f Fault) answers(code string) bool { return f.rightly() || strings.HasPrefix(f.Reply, code) }

// Say is a fault that answers with other lines and goes on.
func Say(reply string) Fault { return Fault{Reply: reply} }

// HangUp is a fault that closes the connection without an answer.
func HangUp() Fault { return Fault{Then: Close} }

// ResetConnection is a fault that resets the connection without an answer.
func ResetConnection() Fault { return Fault{Then: Reset} }

// FallSilent is a fault that never answers again.
func FallSilent() Fault { return Fault{Then: Silence} }

// Garbage is a fault that answers with what is no SMTP reply.
func Garbage() Fault { return Fault{Reply: "\x00\x01HTTP/1.1 400 Bad Request"} }

// ShutDown is a fault that says 421 and closes (RFC 5321 section 3.8).
func ShutDown() Fault {
	return Fault{Reply: "421 4.3.2 Service shutting down", Then: Close}
}

// After gives the right answer first, and then f.
func After(f Fault) Fault {
	f.Answer = true
	return f
}

// Script says what goes wrong at an event. It is called from several goroutines at once.
type Script func(Event) Fault

// Always breaks at each arrival at point.
func Always(point Point, f Fault) Script {
	return func(e Event) Fault {
		if e.Point == point {
			return f
		}
		return Fault{}
	}
}

// Once breaks at the first arrival at point.
func Once(point Point, f Fault) Script { return Nth(1, point, f) }

// Nth breaks at the n-th arrival at point, counted from 1 over all connections.
func Nth(n int, point Point, f Fault) Script {
	var seen atomic.Int64
	return func(e Event) Fault {
		if e.Point == point && seen.Add(1) == int64(n) {
			return f
		}
		return Fault{}
	}
}

// Scripts asks each script until one has a fault.
func Scripts(scripts ...Script) Script {
	return func(e Event) Fault {
		for _, s := range scripts {
			if f := s(e); !f.none() {
				return f
			}
		}
		return Fault{}
	}
}
