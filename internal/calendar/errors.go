package calendar

import "fmt"

// Error says why a text is not a calendar that can be mailed.
type Error struct {
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

func fail(line int, format string, args ...any) *Error {
	return &Error{Line: line, Reason: fmt.Sprintf(format, args...)}
}
