package cronofytest

import (
	"bytes"
	"net/http"
	"strings"
	"time"
)

// Fault is something that goes wrong with one answer. It is made by the functions of this package whose names begin with Fault.
type Fault struct {
	refusal *answer             // sent instead of carrying out the request
	spoil   func(answer) answer // changes a good answer before it is sent
	model   func(*calendar)     // changes the calendar before it is written
	text    func(string) string // changes the text of the calendar
	shape   attachmentShape     // changes how the calendar is attached
	latency time.Duration
}

// attachmentShape is how attachments stands in an answer.
type attachmentShape int

const (
	attached     attachmentShape = iota
	attachedNone                 // no attachments.icalendar: {}
	attachedList                 // an array in place of the object, as an official SDK's fixtures have it
)

// FaultFirst returns a function for [Options].Fault that lets f happen to the first n requests of a server.
func FaultFirst(n int, f *Fault) func(*Request) *Fault {
	return func(r *Request) *Fault {
		if r.N <= n {
			return f
		}
		return nil
	}
}

// FaultStatus refuses the request with a status code. A wait above zero is sent as Retry-After, in whole seconds rounded up.
// The body is a line of plain text, for 422 the documented object.
func FaultStatus(code int, wait time.Duration) *Fault {
	a := textAnswer(code, http.StatusText(code))
	if code == http.StatusUnprocessableEntity {
		p := problems{}
		p.add("event", "errors.invalid", "invalid")
		a = p.answer()
	}
	if wait > 0 {
		if a.header == nil {
			a.header = http.Header{}
		}
		a.header["Retry-After"] = retryAfter(wait)["Retry-After"]
	}
	return &Fault{refusal: &a}
}

// FaultAnswer refuses the request with an answer of your own: a redirect, an odd Retry-After, any body. Content-Length is that of body.
func FaultAnswer(code int, header http.Header, body string) *Fault {
	return &Fault{refusal: &answer{status: code, header: header.Clone(), body: []byte(body), cut: -1}}
}

// FaultHTML answers 200 with a web page, as a captive portal or a misled proxy does.
func FaultHTML() *Fault {
	return FaultAnswer(http.StatusOK, http.Header{"Content-Type": {"text/html; charset=utf-8"}},
		"<!DOCTYPE html>\n<html><head><title>Welcome</title></head><body><h1>Please sign in</h1></body></html>\n")
}

// FaultEmpty answers without a body.
func FaultEmpty() *Fault {
	return spoilt(func(a answer) answer { a.body = nil; return a })
}

// FaultTruncated sends half of the body that Content-Length announces and closes the connection.
func FaultTruncated() *Fault {
	return spoilt(func(a answer) answer { a.cut = len(a.body) / 2; return a })
}

// FaultOversized sends good JSON after 8 MiB of white space.
func FaultOversized() *Fault {
	return spoilt(func(a answer) answer {
		a.body = append(bytes.Repeat([]byte(" "), 8<<20), a.body...)
		return a
	})
}

// FaultBrokenJSON sends a body whose last brace is missing, with the Content-Length to match.
func FaultBrokenJSON() *Fault {
	return spoilt(func(a answer) answer { a.body = bytes.TrimSuffix(a.body, []byte("}")); return a })
}

// FaultDrop closes the connection without an answer. The request was carried out. (When this happens on a connection that was used
// before, net/http clients repeat by themselves what they hold for idempotent: a GET, and all that package cronofy asks.)
func FaultDrop() *Fault {
	return spoilt(func(a answer) answer { a.cut = 0; return a })
}

// FaultLatency delays the answer by d, on top of [Options].Latency.
func FaultLatency(d time.Duration) *Fault { return &Fault{latency: d} }

// FaultCalendar passes the iCalendar text through edit before it goes out.
func FaultCalendar(edit func(ics string) string) *Fault { return &Fault{text: edit} }

func spoilt(f func(answer) answer) *Fault { return &Fault{spoil: f} }

// BrokenCalendar is a way for iCalendar text to be wrong.
type BrokenCalendar string

// The ways that [FaultBrokenCalendar] knows.
const (
	CalendarMissing       BrokenCalendar = "missing"        // no attachments.icalendar
	CalendarList          BrokenCalendar = "list"           // attachments is an empty array
	CalendarEmpty         BrokenCalendar = "empty"          // an empty string
	CalendarNonsense      BrokenCalendar = "nonsense"       // text that is no iCalendar at all
	CalendarTruncated     BrokenCalendar = "truncated"      // the first half
	CalendarNoEvent       BrokenCalendar = "no event"       // no VEVENT
	CalendarNoMethod      BrokenCalendar = "no method"      // no METHOD
	CalendarOtherMethod   BrokenCalendar = "other method"   // METHOD:PUBLISH
	CalendarNoUID         BrokenCalendar = "no uid"         // no UID
	CalendarNoSequence    BrokenCalendar = "no sequence"    // no SEQUENCE
	CalendarNoDTStamp     BrokenCalendar = "no dtstamp"     // no DTSTAMP
	CalendarNoOrganizer   BrokenCalendar = "no organizer"   // no ORGANIZER
	CalendarNoAttendee    BrokenCalendar = "no attendee"    // no ATTENDEE
	CalendarOtherAttendee BrokenCalendar = "other attendee" // an ATTENDEE who was not asked for
	CalendarHuge          BrokenCalendar = "huge"           // a line of 512 KiB
)

// BrokenCalendars returns every kind that [FaultBrokenCalendar] knows, for tables of tests.
func BrokenCalendars() []BrokenCalendar {
	return []BrokenCalendar{
		CalendarMissing, CalendarList, CalendarEmpty, CalendarNonsense, CalendarTruncated, CalendarNoEvent, CalendarNoMethod,
		CalendarOtherMethod, CalendarNoUID, CalendarNoSequence, CalendarNoDTStamp, CalendarNoOrganizer, CalendarNoAttendee,
		CalendarOtherAttendee, CalendarHuge,
	}
}

// FaultBrokenCalendar sends a good answer with a calendar that is wrong in one way. A kind that it does not know is nonsense.
func FaultBrokenCalendar(kind BrokenCalendar) *Fault {
	switch kind {
	case CalendarMissing:
		return &Fault{shape: attachedNone}
	case CalendarList:
		return &Fault{shape: attachedList}
	case CalendarEmpty:
		return FaultCalendar(func(string) string { return "" })
	case CalendarTruncated:
		return FaultCalendar(func(ics string) string { return ics[:len(ics)/2] })
	case CalendarNoEvent:
		return &Fault{model: func(c *calendar) { c.event = nil }}
	case CalendarNoMethod:
		return &Fault{model: func(c *calendar) { c.method = "" }}
	case CalendarOtherMethod:
		return &Fault{model: func(c *calendar) { c.method = "PUBLISH" }}
	case CalendarNoUID:
		return &Fault{model: func(c *calendar) { c.uid = "" }}
	case CalendarNoSequence:
		return &Fault{model: func(c *calendar) { c.sequence = -1 }}
	case CalendarNoDTStamp:
		return &Fault{model: func(c *calendar) { c.stamp = time.Time{} }}
	case CalendarNoOrganizer:
		return &Fault{model: func(c *calendar) { c.organizer = Organizer{} }}
	case CalendarNoAttendee:
		return &Fault{model: func(c *calendar) { c.attendees = nil }}
	case CalendarOtherAttendee:
		return &Fault{model: func(c *calendar) {
			c.attendees = []recipient{{Email: "somebody.else@example.net", Status: statusPending}}
		}}
	case CalendarHuge:
		return &Fault{model: func(c *calendar) { c.padding = 512 << 10 }}
	default:
		return FaultCalendar(func(string) string { return "this is no calendar " + strings.Repeat("at all ", 20) })
	}
}
