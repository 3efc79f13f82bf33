package calendar

import "fmt"

// Code says which kind of thing is wrong with a text.
type Code string

// The codes of an Error.
const (
	TooLarge          Code = "too_large"         // more than MaxSize octets
	LineTooLong       Code = "line_too_long"     // more than MaxHead octets before the value of a line
	TooManyParameters Code = "too_many_params"   // more than MaxParameters parameters, or values of them, in one line
	TooDeep           Code = "too_deep"          // components nested deeper than MaxDepth
	NotUTF8           Code = "not_utf8"          // not UTF-8 once unfolded
	ControlCharacter  Code = "control_character" // NUL, or a CR that ends no line
	NotCalendar       Code = "not_a_calendar"    // does not begin with BEGIN:VCALENDAR
	Truncated         Code = "truncated"         // ends before END:VCALENDAR
	Unbalanced        Code = "unbalanced"        // an END that does not fit its BEGIN
	TrailingText      Code = "trailing_text"     // something follows END:VCALENDAR
	Malformed         Code = "malformed"         // a line is no content line
	NoEvent           Code = "no_event"          // no VEVENT
	DifferentUIDs     Code = "different_uids"    // VEVENTs of different events
	BadValue          Code = "bad_value"         // a date, duration or number cannot be read
	UnknownTimeZone   Code = "unknown_time_zone" // a TZID that neither IANA nor the text explains
)

// Error says why a text is not a calendar that can be mailed.
type Error struct {
	Code Code
	// Line is the line in the received text, counted from 1, or 0 if the cause is not in one line.
	Line int
	// Reason says what is wrong. It quotes names of the format and of zones, no text of the event.
	Reason string
	// Err is the cause, where there is one.
	Err error
}

// Error implements error.
func (e *Error) Error() string {
	const todo = "; the text must come from its source again, fixed"
	if e.Line > 0 {
		return fmt.Sprintf("calendar line %d: %s%s", e.Line, e.Reason, todo)
	}
	return "calendar: " + e.Reason + todo
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

func fail(code Code, line int, format string, args ...any) *Error {
	return &Error{Code: code, Line: line, Reason: fmt.Sprintf(format, args...)}
}
