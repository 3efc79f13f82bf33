package cronofytest

import (
	"bytes"
	"net/http"
	"regexp"
	"strings"
	"time"
)

// Fault is something that goes wrong with one answer. The functions whose names begin with Fault
// make one.
type Fault struct {
	refusal *answer            // sent instead of carrying out the request
	spoil   func(*answer)      // changes a good answer before it is sent
	attach  func(*attachments) // changes what is attached to a good answer
}

// FaultFirst returns a function for [Options].Fault that makes f happen to the first n requests
// of a server.
func FaultFirst(n int, f *Fault) func(*Request) *Fault {
	return func(r *Request) *Fault {
		if r.N <= n {
			return f
		}
		return nil
	}
}

// FaultStatus refuses the request with a status code. A wait above zero is sent as Retry-After,
// in whole seconds rounded up. The body is a line of plain text, for 422 the documented object.
func FaultStatus(code int, wait time.Duration) *Fault {
	a := textAnswer(code, http.StatusText(code))
	if code == http.StatusUnprocessableEntity {
		p := problems{}
		p.add("event", "errors.invalid", "invalid")
		a = p.answer()
	}
	if wait > 0 {
		a.header.Set("Retry-After", retryAfter(wait))
	}
	return &Fault{refusal: &a}
}

// FaultAnswer refuses the request with an answer of the caller's: a redirect, an odd
// Retry-After, any body. Content-Length is that of body.
func FaultAnswer(code int, header http.Header, body string) *Fault {
	a := textAnswer(code, "")
	a.body = []byte(body)
	for name, values := range header {
		a.header[http.CanonicalHeaderKey(name)] = values
	}
	return &Fault{refusal: &a}
}

// FaultHTML answers 200 with a web page, as a captive portal or a misled proxy does.
func FaultHTML() *Fault {
	return FaultAnswer(http.StatusOK, http.Header{"Content-Type": {"text/html; charset=utf-8"}},
		"<!DOCTYPE html>\n<html><head><title>Welcome</title></head>"+
			"<body><h1>Please sign in</h1></body></html>\n")
}

// FaultEmpty answers without a body.
func FaultEmpty() *Fault { return &Fault{spoil: func(a *answer) { a.body = nil }} }

// FaultTruncated sends half of the body that Content-Length announces and closes the connection.
func FaultTruncated() *Fault { return &Fault{spoil: func(a *answer) { a.cut = len(a.body) / 2 }} }

// FaultOversized sends good JSON after 8 MiB of white space.
func FaultOversized() *Fault {
	return &Fault{spoil: func(a *answer) { a.body = append(bytes.Repeat([]byte(" "), 8<<20), a.body...) }}
}

// FaultBrokenJSON sends a body whose last brace is missing, with the Content-Length to match.
func FaultBrokenJSON() *Fault {
	return &Fault{spoil: func(a *answer) { a.body = bytes.TrimSuffix(a.body, []byte("}")) }}
}

// FaultDrop closes the connection without an answer. The request was carried out. (On a connection
// that was used before, net/http clients repeat a GET and all requests of package cronofy.)
func FaultDrop() *Fault { return &Fault{spoil: func(a *answer) { a.cut = 0 }} }

// FaultCalendar passes the iCalendar text through edit before it is sent.
func FaultCalendar(edit func(ics string) string) *Fault {
	return &Fault{attach: func(a *attachments) {
		text := edit(*a.ICalendar)
		a.ICalendar = &text
	}}
}

// FaultBrokenCalendar sends a good answer with a calendar that is wrong in one way:
//
//   - "missing": no attachments.icalendar
//   - "list": attachments is an empty array, as in the fixtures of an official SDK
//   - "empty": an empty string
//   - "truncated": the first half
//   - "no event", "no method", "no uid", "no sequence", "no dtstamp", "no organizer",
//     "no attendee": without that component or property
//   - "other method": METHOD:PUBLISH
//   - "other attendee": an ATTENDEE whom the request did not name
//   - "huge": a line of 512 KiB
//   - any other kind: text that is no iCalendar
func FaultBrokenCalendar(kind string) *Fault {
	property, lacks := strings.CutPrefix(kind, "no ")
	switch {
	case kind == "missing":
		return &Fault{attach: func(a *attachments) { a.ICalendar = nil }}
	case kind == "list":
		return &Fault{spoil: func(a *answer) {
			if before, _, found := bytes.Cut(a.body, []byte(`"attachments":{`)); found {
				a.body = append(before, `"attachments":[]}`...)
			}
		}}
	case kind == "no event":
		return FaultCalendar(replaceFirst(`(?s)BEGIN:V(TIMEZONE|EVENT).*END:VEVENT\r?\n`, ""))
	case lacks:
		return FaultCalendar(replaceFirst(propertyLines(property), ""))
	}
	return FaultCalendar(func(ics string) string {
		switch kind {
		case "empty":
			return ""
		case "truncated":
			return ics[:len(ics)/2]
		case "other method":
			return replaceFirst(`METHOD:\w+`, "METHOD:PUBLISH")(ics)
		case "other attendee":
			const other = "ATTENDEE;CUTYPE=INDIVIDUAL;ROLE=REQ-PARTICIPANT;PARTSTAT=NEEDS-ACTION\n" +
				" ;RSVP=TRUE:mailto:somebody.else@example.net\n"
			return replaceFirst(propertyLines("attendee"), other)(ics)
		case "huge":
			padding := "X-PADDING:" + strings.Repeat("x", 512<<10) + "\n"
			return replaceFirst("BEGIN:V(TIMEZONE|EVENT)", padding+"${0}")(ics)
		}
		return "this is no calendar " + strings.Repeat("at all ", 20)
	})
}

// propertyLines is a pattern for the lines of a property, of all its values.
func propertyLines(name string) string { return `(?mi)(^` + name + `[;:].*\n([ \t].*\n)*)+` }

func replaceFirst(pattern, with string) func(string) string {
	re := regexp.MustCompile(pattern)
	return func(s string) string {
		at := re.FindStringSubmatchIndex(s)
		if at == nil {
			return s
		}
		return s[:at[0]] + string(re.ExpandString(nil, with, s, at)) + s[at[1]:]
	}
}
