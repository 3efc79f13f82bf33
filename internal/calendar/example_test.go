package calendar_test

import (
	"errors"
	"fmt"
	"strings"

	"github.com/invitemailer/invitemailer/internal/calendar"
)

func ExampleRead() {
	text := strings.Join([]string{
		"BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Example//EN", "METHOD:REQUEST",
		"BEGIN:VEVENT", "UID:1@example.com", "DTSTAMP:20260401T081500Z", "SEQUENCE:0",
		"DTSTART;TZID=Europe/London:20260429T103000", "DURATION:PT30M", "SUMMARY:Board meeting",
		"ORGANIZER:mailto:organizer@example.com", "ATTENDEE;RSVP=TRUE:mailto:Ada@example.com",
		"END:VEVENT", "END:VCALENDAR",
	}, "\n")
	c, err := calendar.Read(text)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(c.Method, c.Summary, c.Start, c.HasAttendee("ada@example.com"))
	// Output: REQUEST Board meeting 2026-04-29 10:30:00 +0100 BST true
}

func ExampleRead_error() {
	_, err := calendar.Read("<html>502 Bad Gateway</html>")
	var e *calendar.Error
	if errors.As(err, &e) {
		fmt.Println(e.Reason)
	}
	// Output: the text does not begin with BEGIN:VCALENDAR
}
