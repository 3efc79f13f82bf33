package lint_test

import (
	"fmt"
	"strings"
	"time"

	"github.com/invitemailer/invitemailer/mailer/lint"
)

// A cancellation that does not cancel: it comes as another invitation.
func ExampleCheck() {
	calendar := strings.ReplaceAll(`BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//Example//EN
METHOD:REQUEST
BEGIN:VEVENT
UID:lunch-1
DTSTAMP:20270401T120000Z
SEQUENCE:1
DTSTART;TZID=Europe/London:20270429T120000
DTEND;TZID=Europe/London:20270429T130000
SUMMARY:Lunch
ORGANIZER;CN=Jane Doe:jane@example.com
ATTENDEE;RSVP=YES:mailto:ada@example.org
STATUS:CANCELLED
END:VEVENT
END:VCALENDAR
`, "\n", "\r\n")

	now := time.Date(2027, 4, 1, 12, 0, 0, 0, time.UTC)
	for _, f := range lint.Check([]byte(calendar), lint.Options{Profile: lint.Any, Now: now}) {
		fmt.Println(f)
	}
	// Output:
	// error IM31: line 12: ORGANIZER "jane@example.com": no mailto: before the address
	// error IM36: line 13: RSVP=YES
	// error IM41: line 14: STATUS:CANCELLED, but METHOD:REQUEST
	// error IM45: line 9: there is no VTIMEZONE for TZID=Europe/London
}

func ExampleExplain() {
	text, _ := lint.Explain("IM15")
	fmt.Print(text)
	// Output:
	// IM15  The method parameter is the METHOD of the calendar
	//
	// Level:   error under own, error under any
	// About:   the mail around the calendar
	// Why:     Outlook refuses the mail: "Inbound Mime method and ICAL method mismatch".
	// Source:  RFC 6047 section 2.4; maevsi/vibetype issue 2368
	// Fix:     Take the parameter from the calendar's METHOD, not from a second setting.
}
