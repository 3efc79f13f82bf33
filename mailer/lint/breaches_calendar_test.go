package lint_test

import (
	"strings"
	"testing"
)

var calendarBreaches = []breach{
	{
		rule: "IM19", name: "PUBLISH", edit: both(change("method=REQUEST", "method=PUBLISH"),
			inCalendar("METHOD:REQUEST", "METHOD:PUBLISH")),
		want: "IM19 error", any: "IM19 error", where: "line 5 of part 1.3",
	},
	{
		rule: "IM19", name: "REPLY", edit: both(change("method=REQUEST", "method=REPLY"),
			inCalendar("METHOD:REQUEST", "METHOD:REPLY")),
		want: "IM19 error", any: "clean",
	},
	{
		rule: "IM28", name: "METHOD in the event", edit: inCalendar("METHOD:REQUEST\n", "",
			"BEGIN:VEVENT\n", "BEGIN:VEVENT\nMETHOD:REQUEST\n"),
		want: "IM28 error", any: "IM28 error", where: "line 23 of part 1.3",
	},
	{
		rule: "IM28", name: "METHOD at the end", edit: inCalendar("METHOD:REQUEST\n", "",
			"END:VCALENDAR", "METHOD:REQUEST\nEND:VCALENDAR"),
		want: "IM28 error", where: "line 37 of part 1.3",
	},
	{
		rule: "IM28", name: "no PRODID", edit: inCalendar("PRODID:-//Example Corp//Invitations//EN\n", ""),
		want: "IM28 error",
	},
	{
		rule: "IM28", name: "cut off", edit: inCalendar("END:VCALENDAR\n", ""),
		want: "IM28 error", where: "line 1 of part 1.3",
	},
	{
		rule: "IM28", name: "SUMMARY twice", edit: inCalendar("SUMMARY:Board meeting\n",
			"SUMMARY:Board meeting\nSUMMARY:Lunch\n"),
		want: "IM28 error", where: "line 30 of part 1.3",
	},
	{
		rule: "IM28", name: "a line that is none", edit: inCalendar("SUMMARY:", "and so on\nSUMMARY:"),
		want: "IM28 error",
	},
	{
		rule: "IM29", name: "no UID", edit: inCalendar("UID:5f0a2c1e-7d1b-4b7e-9a53-2f2c1d8a9e10\n", ""),
		want: "IM29 error", any: "IM29 error",
	},
	{
		rule: "IM29", name: "a task beside the event", edit: inCalendar("END:VCALENDAR",
			"BEGIN:VTODO\nEND:VTODO\nEND:VCALENDAR"),
		want: "IM29 error",
	},
	{
		rule: "IM29", name: "another event", edit: inCalendar("END:VCALENDAR", otherEvent+"END:VCALENDAR"),
		want: "IM29 error, IM55 error",
	},
	{
		rule: "IM30", name: "no DTSTAMP", edit: inCalendar("DTSTAMP:20270401T120000Z\n", ""),
		want: "IM30 error", any: "IM30 error", where: "line 23 of part 1.3",
	},
	{
		rule: "IM30", name: "local time", edit: inCalendar("DTSTAMP:20270401T120000Z", "DTSTAMP:20270401T120000"),
		want: "IM30 error",
	},
	{
		rule: "IM30", name: "in the future", edit: inCalendar("DTSTAMP:20270401T120000Z", "DTSTAMP:20270404T090501Z"),
		want: "IM30 error",
	},
	{
		rule: "IM43", name: "an alarm", from: "good-cancel.eml",
		edit: inCalendar("END:VEVENT", "BEGIN:VALARM\nTRIGGER:-PT5M\nACTION:DISPLAY\nEND:VALARM\nEND:VEVENT"),
		want: "IM43 error", any: "IM43 error",
	},
	{
		rule: "IM43", name: "a status of the request", edit: inCalendar("STATUS:CONFIRMED",
			"STATUS:CONFIRMED\nREQUEST-STATUS:2.0;Success"),
		want: "IM43 error",
	},
	{
		rule: "IM80", name: "Outlook's own number", edit: inCalendar("SEQUENCE:0",
			"SEQUENCE:0\nX-MICROSOFT-CDO-APPT-SEQUENCE:3"),
		want: "IM80 warning", any: "IM80 warning",
	},
}

const otherEvent = "BEGIN:VEVENT\nUID:other\nDTSTAMP:20270401T120000Z\nDTSTART:20270429T083000Z\n" +
	"SUMMARY:Other\nORGANIZER:mailto:jane@example.com\n" +
	"ATTENDEE;RSVP=TRUE:mailto:ada@example.org\nEND:VEVENT\n"

var textBreaches = []breach{
	{
		rule: "IM47", name: "bare LF", edit: func(t *testing.T, s string) string {
			return mapCalendar(t, s, func(c string) string {
				return strings.Replace(c,
					"BEGIN:VEVENT\r\n", "BEGIN:VEVENT\n", 1)
			})
		},
		want: "IM47 error, IM78 error", any: "IM47 warning, IM78 error", where: "line 23 of part 1.3",
	},
	{
		rule: "IM47", name: "no last line end", edit: func(t *testing.T, s string) string {
			return mapCalendar(t, s, func(c string) string { return strings.TrimSuffix(c, "\r\n") })
		},
		want: "IM47 error",
	},
	{
		rule: "IM48", name: "long", edit: inCalendar("LOCATION:Board room",
			"LOCATION:Board room"+strings.Repeat(" xxxx", 12)),
		want: "IM48 warning, IM74 warning", any: "IM48 warning", where: "line 32 of part 1.3",
	},
	{
		rule: "IM48", name: "very long", edit: inCalendar("STATUS:", "X-LONG:"+strings.Repeat("x", 1000)+"\nSTATUS:"),
		want: "IM22 error, IM48 error", any: "IM22 error, IM48 error",
	},
	{
		rule: "IM49", name: "through a character",
		edit: both(change("method=REQUEST\nContent-Transfer-Encoding: 7bit",
			"method=REQUEST\nContent-Transfer-Encoding: 8bit"),
			inCalendar("CN=Jane Doe", "CN=Zo\xc3\n \xab Doe")),
		want: "IM24 warning, IM49 error", any: "IM24 warning, IM49 warning", where: "line 33 of part 1.3",
	},
	{
		rule: "IM49", name: "through an escape", edit: inCalendar(`plans\,`, "plans\\\n ,"),
		want: "IM49 warning", any: "IM49 warning",
	},
	{
		rule: "IM50", name: "space before the fold", edit: inCalendar("Join at\n  https", "Join at \n https"),
		want: "IM50 warning", any: "IM50 warning", where: "line 30 of part 1.3",
	},
	{
		rule: "IM51", name: "a control", edit: inCalendar("Discuss", "\aDiscuss"),
		want: "IM51 error", any: "IM51 error",
	},
	{
		rule: "IM51", name: "Latin-1", edit: both(change("method=REQUEST\n"+
			"Content-Transfer-Encoding: 7bit", "method=REQUEST\nContent-Transfer-Encoding: 8bit"),
			inCalendar("CN=Jane", "CN=Zo\xeb")),
		want: "IM24 warning, IM51 error",
	},
	{
		rule: "IM52", name: "an unquoted colon", edit: inCalendar("ORGANIZER;",
			"ORGANIZER;SENT-BY=mailto:bob@example.com;\n "),
		want: "IM31 error, IM52 error, IM66 error", any: "IM31 error, IM52 error, IM66 error",
		where: "line 33 of part 1.3",
	},
	{
		rule: "IM52", name: "an unquoted semicolon", edit: inCalendar("CN=Jane Doe", "CN=Doe; Jane"),
		want: "IM52 error",
	},
	{
		rule: "IM52", name: "an unquoted comma", edit: inCalendar("CN=Jane Doe", "CN=Doe, Jane"),
		want: "IM52 error",
	},
	{
		rule: "IM52", name: "a quote", edit: inCalendar("CN=Jane Doe", `CN=Jane "J" Doe`),
		want: "IM52 error",
	},
	{
		rule: "IM52", name: "CN twice", edit: inCalendar("CN=Jane Doe", "CN=Jane Doe;CN=Joe"),
		want: "IM52 error",
	},
	{
		rule: "IM53", name: "a bare comma", edit: inCalendar(`plans\,`, "plans,"),
		want: "IM53 warning", any: "IM53 warning", where: "line 30 of part 1.3",
	},
	{
		rule: "IM53", name: "an escaped colon", edit: inCalendar(`https:`, `https\:`),
		want: "IM53 warning",
	},
	{
		rule: "IM53", name: "vCalendar 1.0", edit: inCalendar(`LOCATION:`, `LOCATION;ENCODING=QUOTED-PRINTABLE:`),
		want: "IM53 warning",
	},
}

var eventBreaches = []breach{
	{
		rule: "IM37", name: "below zero", edit: inCalendar("SEQUENCE:0", "SEQUENCE:-1"),
		want: "IM37 error", any: "IM37 error",
	},
	{
		rule: "IM37", name: "none in a cancellation", from: "good-cancel.eml", edit: inCalendar("SEQUENCE:2\n", ""),
		want: "IM37 error",
	},
	{
		rule: "IM40", name: "a status of tasks", edit: inCalendar("STATUS:CONFIRMED", "STATUS:COMPLETED"),
		want: "IM40 error", any: "IM40 error",
	},
	{
		rule: "IM41", name: "cancelled by REQUEST", edit: inCalendar("STATUS:CONFIRMED", "STATUS:CANCELLED"),
		want: "IM41 error", any: "IM41 error",
	},
	{
		rule: "IM41", name: "misspelt", from: "good-cancel.eml",
		edit: inCalendar("STATUS:CANCELLED", "STATUS:CANCELED"),
		want: "IM41 error",
	},
	{
		rule: "IM41", name: "everyone told, but no status", from: "good-cancel.eml",
		prev: "good-update.eml", edit: inCalendar("STATUS:CANCELLED\n", ""),
		want: "IM41 error",
	},
	{
		rule: "IM56", name: "no title", edit: inCalendar("SUMMARY:Board meeting", "SUMMARY:"),
		want: "IM56 warning", any: "IM56 warning",
	},
	{
		rule: "IM56", name: "a link in the mail only", edit: inCalendar("/board", "/other"),
		want: "IM56 warning", any: "clean", where: "part 1.2",
	},
}

var timeBreaches = []breach{
	{
		rule: "IM44", name: "no start", edit: inCalendar("DTSTART;TZID=Europe/London:20270429T093000\n", ""),
		want: "IM44 error", any: "IM44 error",
	},
	{
		rule: "IM44", name: "end and length", edit: inCalendar("SUMMARY", "DURATION:PT30M\nSUMMARY"),
		want: "IM44 error",
	},
	{
		rule: "IM44", name: "ends before it starts", edit: inCalendar("20270429T100000", "20270429T090000"),
		want: "IM44 error",
	},
	{
		rule: "IM44", name: "ends before it starts, elsewhere",
		edit: inCalendar("DTEND;TZID=Europe/London:20270429T100000", "DTEND:20270429T080000Z"),
		want: "IM44 error",
	},
	{
		rule: "IM44", name: "ends on a date",
		edit: inCalendar("DTEND;TZID=Europe/London:20270429T100000", "DTEND;VALUE=DATE:20270430"),
		want: "IM44 error",
	},
	{
		rule: "IM45", name: "no VTIMEZONE", edit: inCalendar("TZID:Europe/London", "TZID:Europe/Lisbon"),
		want: "IM45 error", any: "IM45 error", where: "line 27 of part 1.3",
	},
	{
		rule: "IM45", name: "RRULE and RDATE", edit: inCalendar("END:STANDARD", "RDATE:20271031T020000\nEND:STANDARD"),
		want: "IM45 error", where: "line 8 of part 1.3",
	},
	{
		rule: "IM46", name: "floating", edit: inCalendar("DTSTART;TZID=Europe/London", "DTSTART",
			"DTEND;TZID=Europe/London", "DTEND"),
		want: "IM46 warning", any: "IM46 warning",
	},
	{
		rule: "IM46", name: "zone and UTC", edit: inCalendar("20270429T093000", "20270429T083000Z",
			"20270429T100000", "20270429T090000Z"),
		want: "IM46 error, IM75 warning", any: "IM46 error",
	},
	{
		rule: "IM46", name: "the zone as a property", edit: inCalendar("SUMMARY", "TZID:Europe/London\nSUMMARY"),
		want: "IM46 error",
	},
	{
		rule: "IM54", name: "RDATE alone",
		edit: inCalendar("SUMMARY", "RDATE;TZID=Europe/London:20270506T093000\nSUMMARY"),
		want: "IM54 warning", any: "IM54 warning",
	},
	{
		rule: "IM54", name: "two ordinals", edit: inCalendar("SUMMARY", "RRULE:FREQ=MONTHLY;BYDAY=1MO,3MO\nSUMMARY"),
		want: "IM54 warning",
	},
	{
		rule: "IM55", name: "of another type", edit: inCalendar("SUMMARY",
			"RECURRENCE-ID;VALUE=DATE:20270429\nSUMMARY"),
		want: "IM55 error, IM55 warning", any: "IM55 error, IM55 warning",
	},
	{
		rule: "IM55", name: "no series", edit: inCalendar("SUMMARY",
			"RECURRENCE-ID;TZID=Europe/London:20270429T093000\nSUMMARY"),
		want: "IM55 warning",
	},
	{
		rule: "IM57", name: "over", edit: both(inCalendar("DTSTART;TZID=Europe/London:2027",
			"DTSTART;TZID=Europe/London:2026"),
			inCalendar("DTEND;TZID=Europe/London:2027", "DTEND;TZID=Europe/London:2026")),
		want: "IM57 warning", any: "IM57 warning",
	},
	{
		rule: "IM57", name: "over for an hour", edit: both(change("29 April", "4 April"), change("29 April", "4 April"),
			inCalendar("20270429T093000", "20270404T083000"),
			inCalendar("20270429T100000", "20270404T090000"), change("09:30", "08:30"), change("09:30", "08:30")),
		want: "IM57 warning",
	},
}

var peopleBreaches = []breach{
	{
		rule: "IM31", name: "none", edit: inCalendar("ORGANIZER;CN=Jane Doe:mailto:jane@example.com\n", ""),
		want: "IM31 error", any: "IM31 error",
	},
	{
		rule: "IM31", name: "no mailto", edit: inCalendar("mailto:jane@", "jane@"),
		want: "IM31 error",
	},
	{
		rule: "IM31", name: "a name in the address", edit: inCalendar("mailto:jane@example.com",
			"mailto:Jane <jane@example.com>"),
		want: "IM31 error",
	},
	{
		rule: "IM31", name: "percent", edit: inCalendar("jane@example.com", "jane%40example.com"),
		want: "IM31 error",
	},
	{
		rule: "IM32", name: "a guest without mailto", edit: inCalendar("STATUS:CONFIRMED",
			"ATTENDEE:bob@example.com\nSTATUS:CONFIRMED"),
		want: "IM32 error", any: "IM32 error",
	},
	{
		rule: "IM32", name: "nobody", edit: inCalendar("ATTENDEE;CUTYPE=INDIVIDUAL;"+
			"ROLE=REQ-PARTICIPANT;PARTSTAT=NEEDS-ACTION;\n RSVP=TRUE;CN=Ada Lovelace:mailto:ada@example.org\n", ""),
		want: "IM32 error, IM33 error",
	},
	{
		rule: "IM33", name: "somebody else", edit: inCalendar("ada@example.org", "adam@example.org"),
		want: "IM33 error", any: "IM33 error", where: "header To",
	},
	{
		rule: "IM34", name: "to the organizer",
		edit: both(inCalendar("ada@example.org", "jane@example.com"),
			change("<ada@example.org>", "<jane@example.com>")),
		want: "IM34 warning", any: "IM34 warning",
	},
	{
		rule: "IM35", name: "accepted already", edit: inCalendar("PARTSTAT=NEEDS-ACTION", "PARTSTAT=ACCEPTED"),
		want: "IM35 warning", any: "IM35 warning",
	},
	{
		rule: "IM35", name: "not asked", edit: inCalendar("RSVP=TRUE", "RSVP=FALSE"),
		want: "IM35 warning",
	},
	{
		rule: "IM36", name: "no hyphen", edit: inCalendar("ROLE=REQ-PARTICIPANT", "ROLE=REQ PARTICIPANT"),
		want: "IM36 error", any: "IM36 error",
	},
	{
		rule: "IM36", name: "RSVP=YES", edit: inCalendar("RSVP=TRUE", "RSVP=YES"),
		want: "IM35 warning, IM36 error",
	},
	{
		rule: "IM42", name: "somebody else", from: "good-cancel.eml",
		edit: inCalendar("ada@example.org", "adam@example.org"),
		want: "IM42 error", any: "IM42 error",
	},
	{
		rule: "IM66", name: "sent by another", edit: inCalendar("ORGANIZER;",
			"ORGANIZER;SENT-BY=\"mailto:bob@example.com\";\n "),
		want: "IM66 warning", any: "IM66 warning",
	},
}

var seriesBreaches = []breach{
	{
		rule: "IM38", name: "not counted up", from: "good-update.eml", prev: "good.eml",
		edit: inCalendar("SEQUENCE:1", "SEQUENCE:0"),
		want: "IM38 error", any: "IM38 error", where: "line 26 of part 1.3",
	},
	{
		rule: "IM38", name: "counted down", from: "good-cancel.eml", prev: "good-update.eml",
		edit: inCalendar("SEQUENCE:2", "SEQUENCE:0"),
		want: "IM38 error",
	},
	{
		rule: "IM38", name: "cancelled without counting", from: "good-cancel.eml",
		prev: "good-update.eml", edit: inCalendar("SEQUENCE:2", "SEQUENCE:1"),
		want: "IM38 error",
	},
	{
		rule: "IM38", name: "no newer stamp", from: "good-update.eml", prev: "good.eml",
		edit: inCalendar("DTSTAMP:20270402T120000Z", "DTSTAMP:20270401T120000Z"),
		want: "IM38 error", where: "line 25 of part 1.3",
	},
	{
		rule: "IM39", name: "another UID", from: "good-update.eml", prev: "good.eml",
		edit: inCalendar("UID:5f0a2c1e", "UID:00000000"),
		want: "IM39 error", any: "IM39 error",
	},
	{
		rule: "IM39", name: "another organizer", from: "good-update.eml", prev: "good.eml",
		edit: both(inCalendar("mailto:jane@example.com", "mailto:joe@example.com"),
			change("<jane@example.com>\nIn", "<joe@example.com>\nIn")),
		want: "IM39 warning",
	},
	{
		rule: "IM70", name: "no reference", from: "good-update.eml", prev: "good.eml",
		edit: change("In-Reply-To: <first@example.com>\nReferences: <first@example.com>\n", ""),
		want: "IM70 warning", any: "IM70 warning",
	},
}
