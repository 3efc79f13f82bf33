package calendar_test

import (
	"crypto/sha256"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/invitemailer/invitemailer/internal/calendar"
)

func file(t testing.TB, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	require.NoError(t, err)
	return string(b)
}

func mustRead(t testing.TB, text string) *calendar.Calendar {
	t.Helper()
	c, err := calendar.Read(text)
	require.NoError(t, err)
	return c
}

// event returns a small calendar with the given lines in its VEVENT.
func event(lines ...string) string {
	return "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Test//EN\r\nMETHOD:REQUEST\r\nBEGIN:VEVENT\r\nUID:1\r\n" +
		strings.Join(lines, "\r\n") + "\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
}

// What a mailer does not ask for must not keep an invitation from its reader: an alarm, or the
// description of a zone that needs none.
func TestBrokenLinesThatAreNotReadAreNoError(t *testing.T) {
	t.Parallel()
	const broken = "DESCRIPTION;X=\"a\"b:c"
	c := mustRead(t, event("SUMMARY:event", "BEGIN:VALARM", broken, "END:VALARM"))
	assert.Equal(t, "event", c.Summary)

	zoned := strings.Replace(event("DTSTART;TZID=Europe/Paris:20260701T090000"), "BEGIN:VEVENT",
		"BEGIN:VTIMEZONE\r\nTZID:Europe/Paris\r\nBEGIN:STANDARD\r\n"+broken+"\r\nEND:STANDARD\r\n"+
			"END:VTIMEZONE\r\nBEGIN:VEVENT", 1)
	assert.Equal(t, "2026-07-01T09:00:00+02:00", mustRead(t, zoned).Start.Format(time.RFC3339))

	for _, asked := range []string{event(broken), strings.ReplaceAll(zoned, "Europe/Paris", "Custom")} {
		_, err := calendar.Read(asked)
		require.Error(t, err)
	}
}

func TestReadGoogle(t *testing.T) {
	t.Parallel()
	c := mustRead(t, file(t, "google-request.ics"))
	assert.Equal(t, "REQUEST", c.Method)
	assert.Equal(t, "040a5c1e-evt_external_54008b1a4a41730f8d5c6037@smartinvite.example", c.UID)
	assert.Equal(t, 0, c.Sequence)
	assert.True(t, c.HasSequence)
	assert.Equal(t, time.Date(2026, 4, 1, 8, 15, 0, 0, time.UTC), c.DTStamp)
	assert.Equal(t, "CONFIRMED", c.Status)
	assert.Equal(t, "Board meeting", c.Summary)
	assert.Equal(t, "Discuss plans for the next quarter.\nBring figures, charts; and a "+
		"backslash: \\ .\n\nJoin: https://meet.example.com/abc-defg-hij", c.Description)
	assert.Equal(t, "Board room, 2nd floor", c.Location)
	assert.Equal(t, "https://calendar.example.com/event?eid=1&x=2", c.URL)
	assert.Equal(t, "2026-04-29T10:30:00+01:00", c.Start.Format(time.RFC3339))
	assert.Equal(t, "2026-04-29T11:00:00+01:00", c.End.Format(time.RFC3339))
	assert.Equal(t, "Europe/London", c.TZID)
	assert.Equal(t, "Europe/London", c.Start.Location().String())
	assert.False(t, c.AllDay)
	assert.False(t, c.Floating)
	assert.Equal(t, calendar.Person{Name: "Smart invite application",
		Email: "organizer@myapplication.example"}, c.Organizer)
	assert.Equal(t, []calendar.Person{
		{Name: "Smart invite application", Email: "organizer@myapplication.example", PartStat: "ACCEPTED", RSVP: true},
		{Name: "Lovelace, Ada", Email: "Ada.Lovelace@Example.com", PartStat: "NEEDS-ACTION", RSVP: true},
	}, c.Attendees)
	assert.Empty(t, c.RecurrenceRule)
	assert.True(t, c.HasAttendee("ada.lovelace@example.COM"))
	assert.False(t, c.HasAttendee("grace@example.com"))
	assert.False(t, c.HasAttendee("not an address"))
}

func TestReadExchange(t *testing.T) {
	t.Parallel()
	c := mustRead(t, file(t, "exchange-request.ics"))
	assert.Equal(t, "Jour fixe 🗓️", c.Summary, "the master speaks, not the moved instance")
	assert.Equal(t, "W. Europe Standard Time", c.TZID)
	assert.Equal(t, "2026-10-22T10:00:00+02:00", c.Start.Format(time.RFC3339))
	assert.Equal(t, "2026-10-22T11:00:00+02:00", c.End.Format(time.RFC3339))
	assert.Equal(t, "FREQ=WEEKLY;UNTIL=20261217T090000Z;INTERVAL=1;BYDAY=TH;WKST=MO", c.RecurrenceRule)
	assert.Empty(t, c.RecurrenceID)
	assert.Equal(t, 3, c.Sequence)
	assert.Equal(t, "Zoë Müller", c.Organizer.Name)
	assert.True(t, c.HasAttendee("ada@example.com"), "MAILTO in capitals is a mailto")
}

func TestReadCancelWithBareLineFeeds(t *testing.T) {
	t.Parallel()
	text := file(t, "lf-cancel.ics")
	require.NotContains(t, text, "\r")
	c := mustRead(t, text)
	assert.Equal(t, "CANCEL", c.Method)
	assert.Equal(t, "CANCELLED", c.Status)
	assert.Equal(t, 30*time.Minute, c.End.Sub(c.Start), "DURATION gives the end")
	assert.Equal(t, time.UTC, c.Start.Location())
	assert.Equal(t, "organizer@myapplication.example", c.Organizer.Email, "%40 is decoded")
	assert.Equal(t, "Conseil d’administration", c.Organizer.Name)
	assert.Equal(t, strings.ReplaceAll(text, "\n", "\r\n")+"\r\n", string(c.Bytes()))
	assert.Equal(t, sha256.Sum256(c.Bytes()), c.Sum())
}

func TestReadFoldsInsideCharacters(t *testing.T) {
	t.Parallel()
	text := file(t, "folded-in-characters.ics")
	c := mustRead(t, text)
	assert.Equal(t, mustRead(t, file(t, "lf-cancel.ics")).Summary, c.Summary)
	assert.Equal(t, text, string(c.Bytes()), "folds stay where they are")
}

func TestReadAllDayWithAttachment(t *testing.T) {
	t.Parallel()
	text := file(t, "attachment-allday.ics")
	c := mustRead(t, text)
	assert.True(t, c.AllDay)
	assert.Equal(t, time.Date(2026, 5, 4, 0, 0, 0, 0, time.UTC), c.Start)
	assert.Equal(t, time.Date(2026, 5, 6, 0, 0, 0, 0, time.UTC), c.End)
	assert.Equal(t, "boss@example.net", c.Organizer.Email)
	assert.Equal(t, text, string(c.Bytes()))
}

func TestReadTimes(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, lines, start, end string
		allDay, floating        bool
	}{
		{name: "no times", lines: "SUMMARY:x", start: "0001-01-01T00:00:00Z", end: "0001-01-01T00:00:00Z"},
		{name: "start alone", lines: "DTSTART:20260101T100000Z", start: "2026-01-01T10:00:00Z",
			end: "2026-01-01T10:00:00Z"},
		{name: "a date alone is a day", lines: "DTSTART;VALUE=DATE:20260101",
			start: "2026-01-01T00:00:00Z", end: "2026-01-02T00:00:00Z", allDay: true},
		{name: "floating", lines: "DTSTART:20260101T100000\r\nDTEND:20260101T110000",
			start: "2026-01-01T10:00:00Z", end: "2026-01-01T11:00:00Z", floating: true},
		{name: "quoted zone", lines: "DTSTART;TZID=\"America/New_York\":20260101T100000",
			start: "2026-01-01T10:00:00-05:00", end: "2026-01-01T10:00:00-05:00"},
		{name: "zone of a registry", lines: "DTSTART;" +
			"TZID=/citadel.org/20210210_1/America/Argentina/Ushuaia:20260101T100000",
			start: "2026-01-01T10:00:00-03:00", end: "2026-01-01T10:00:00-03:00"},
		{name: "names in lower case", lines: "dtstart;tzid=Asia/Tokyo:20260101T100000\r\n" +
			"duration:pt1h", start: "2026-01-01T10:00:00+09:00", end: "2026-01-01T11:00:00+09:00"},
		{name: "a day of duration keeps the clock over a change",
			lines: "DTSTART;TZID=Europe/Berlin:20260328T100000\r\nDURATION:P1D",
			start: "2026-03-28T10:00:00+01:00", end: "2026-03-29T10:00:00+02:00"},
		{name: "24 hours of duration do not",
			lines: "DTSTART;TZID=Europe/Berlin:20260328T100000\r\nDURATION:PT24H",
			start: "2026-03-28T10:00:00+01:00", end: "2026-03-29T11:00:00+02:00"},
		{name: "weeks", lines: "DTSTART:20260101T100000Z\r\nDURATION:+P2W",
			start: "2026-01-01T10:00:00Z", end: "2026-01-15T10:00:00Z"},
		{name: "all units", lines: "DTSTART:20260101T100000Z\r\nDURATION:P1DT2H3M4S",
			start: "2026-01-01T10:00:00Z", end: "2026-01-02T12:03:04Z"},
		{name: "end in another zone", lines: "DTSTART;TZID=Europe/Paris:20260701T100000\r\nDTEND;" +
			"TZID=America/New_York:20260701T120000", start: "2026-07-01T10:00:00+02:00",
			end: "2026-07-01T12:00:00-04:00"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			c := mustRead(t, event(tc.lines))
			assert.Equal(t, tc.start, c.Start.Format(time.RFC3339))
			assert.Equal(t, tc.end, c.End.Format(time.RFC3339))
			assert.Equal(t, tc.allDay, c.AllDay)
			assert.Equal(t, tc.floating, c.Floating)
		})
	}
}

// What is absent is zero; the mailer decides whether that will do.
func TestReadMissingPieces(t *testing.T) {
	t.Parallel()
	c := mustRead(t, "BEGIN:VCALENDAR\nBEGIN:VEVENT\nX-NOTHING:1\nEND:VEVENT\nEND:VCALENDAR")
	assert.Empty(t, c.Method)
	assert.Empty(t, c.UID)
	assert.False(t, c.HasSequence)
	assert.True(t, c.DTStamp.IsZero())
	assert.True(t, c.Start.IsZero())
	assert.Equal(t, calendar.Person{}, c.Organizer)
	assert.Empty(t, c.Attendees)
}

func TestReadOddButReadable(t *testing.T) {
	t.Parallel()
	t.Run("METHOD belongs to the calendar", func(t *testing.T) {
		t.Parallel()
		c := mustRead(t, "BEGIN:VCALENDAR\nBEGIN:VEVENT\nMETHOD:REQUEST\nEND:VEVENT\nmethod:cancel\nEND:VCALENDAR\n")
		assert.Equal(t, "CANCEL", c.Method)
	})
	t.Run("an alarm's attendee is not invited", func(t *testing.T) {
		t.Parallel()
		c := mustRead(t, event("BEGIN:VALARM", "ACTION:EMAIL", "SUMMARY:alarm",
			"ATTENDEE:mailto:a@example.com", "END:VALARM", "SUMMARY:event"))
		assert.False(t, c.HasAttendee("a@example.com"))
		assert.Equal(t, "event", c.Summary)
	})
	t.Run("instances only: the first speaks and is marked", func(t *testing.T) {
		t.Parallel()
		c := mustRead(t, event("RECURRENCE-ID:20260101T100000Z", "SUMMARY:first", "END:VEVENT",
			"BEGIN:VEVENT", "UID:1", "RECURRENCE-ID:20260108T100000Z", "SUMMARY:second"))
		assert.Equal(t, "first", c.Summary)
		assert.Equal(t, "20260101T100000Z", c.RecurrenceID)
	})
	t.Run("an organizer without mailto may have EMAIL", func(t *testing.T) {
		t.Parallel()
		c := mustRead(t, event("ORGANIZER;EMAIL=a@example.com:urn:uuid:1", "ATTENDEE:urn:uuid:2"))
		assert.Equal(t, "a@example.com", c.Organizer.Email)
		assert.Equal(t, []calendar.Person{{}}, c.Attendees)
	})
	t.Run("doubled carriage returns are one line end", func(t *testing.T) {
		t.Parallel()
		text := event("SUMMARY:x")
		c := mustRead(t, strings.ReplaceAll(text, "\r\n", "\r\r\n"))
		assert.Equal(t, text, string(c.Bytes()))
	})
	t.Run("blank lines at the end stay", func(t *testing.T) {
		t.Parallel()
		text := event("SUMMARY:x") + "\r\n \r\n"
		assert.Equal(t, text, string(mustRead(t, text).Bytes()))
	})
	t.Run("a caret in a parameter stands for what parameters cannot hold", func(t *testing.T) {
		t.Parallel()
		c := mustRead(t, event(`ORGANIZER;CN=Grace ^'Amazing^' Hopper^n^^o^^^x:mailto:g@example.com`))
		assert.Equal(t, "Grace \"Amazing\" Hopper\n^o^^x", c.Organizer.Name)
	})
	t.Run("properties that are not read are not looked into", func(t *testing.T) {
		t.Parallel()
		c := mustRead(t, event(`X-ODD;CN="a`+`"b:"c"`, "COMMENT;=;;=:", "SUMMARY:x"))
		assert.Equal(t, "x", c.Summary)
	})
}

func TestReadErrors(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, text, reason string
		line               int
	}{
		{"empty", "", "the text is empty", 0},
		{"blank", " \r\n\r\n", "does not begin with", 1},
		{"blank line first", "\r\n" + event("SUMMARY:x"), "does not begin with", 1},
		{"another name", "BEGIN:VCALENDARS\r\nEND:VCALENDARS\r\n", "does not begin with", 1},
		{"HTML", "<html><body>502</body></html>", "does not begin with", 1},
		{"JSON", `{"icalendar":"BEGIN:VCALENDAR"}`, "does not begin with", 1},
		{"byte order mark", "\ufeffBEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n", "does not begin with", 1},
		{"event without calendar", "BEGIN:VEVENT\r\nEND:VEVENT\r\n", "does not begin with", 1},
		{"property first", "VERSION:2.0\r\nBEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n", "does not begin with", 1},
		{"end first", "END:VCALENDAR\r\n", "does not begin with", 1},
		{"cut off", strings.TrimSuffix(event("SUMMARY:x"), "END:VCALENDAR\r\n"), "ends before END:", 0},
		{"cut off in the event", "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nSUMMARY:x", "ends before END:", 0},
		{"crossed ends", "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nEND:VCALENDAR\r\nEND:VEVENT\r\n",
			"another component ends here", 3},
		{"second calendar", event("SUMMARY:x") + event("SUMMARY:y"), "text follows END:VCALENDAR", 10},
		{"nested calendar", "BEGIN:VCALENDAR\nBEGIN:VCALENDAR\n", "begins inside another", 2},
		{"component without name", "BEGIN:VCALENDAR\nBEGIN:\n", "BEGIN is not followed by the name", 2},
		{"no event", "BEGIN:VCALENDAR\r\nBEGIN:VTODO\r\nEND:VTODO\r\nEND:VCALENDAR\r\n", "no VEVENT", 0},
		{"two events", event("END:VEVENT", "BEGIN:VEVENT", "UID:2"), "different UIDs", 0},
		{"not UTF-8", event("SUMMARY:Zo\xeb"), "not valid UTF-8", 7},
		{"NUL", event("SUMMARY:a\x00b"), "control character", 7},
		{"bare CR", event("SUMMARY:a\rb"), "control character", 7},
		{"CR as line end", strings.ReplaceAll(event("SUMMARY:x"), "\r\n", "\r"), "control character", 1},
		{"no colon", event("SUMMARY"), "no property name", 7},
		{"no name", event(":x"), "no property name", 7},
		{"open quote", event(`ATTENDEE;CN="a:mailto:a@example.com`), "double quote", 7},
		{"quote inside a value", event(`ATTENDEE;CN=a"b":mailto:a@example.com`), "double quote", 7},
		{"impossible date", event("DTSTART:20260230T100000Z"), "DTSTART is not a date", 0},
		{"date with dashes", event("DTSTART:2026-01-01T10:00:00Z"), "DTSTART is not a date", 0},
		{"bad end", event("DTSTART:20260101T100000Z", "DTEND:soon"), "DTEND is not a date", 0},
		{"bad stamp", event("DTSTAMP:"), "DTSTAMP is not a date", 0},
		{"bad duration", event("DTSTART:20260101T100000Z", "DURATION:1H"), "DURATION cannot be read", 0},
		{"empty duration", event("DTSTART:20260101T100000Z", "DURATION:PT"), "DURATION cannot be read", 0},
		{"negative duration", event("DTSTART:20260101T100000Z", "DURATION:-PT1H"), "DURATION cannot be read", 0},
		{"endless duration", event("DTSTART:20260101T100000Z", "DURATION:P999999999W"), "DURATION cannot be read", 0},
		{"bad sequence", event("SEQUENCE:one"), "SEQUENCE is not a number", 0},
		{"negative sequence", event("SEQUENCE:-1"), "SEQUENCE is not a number", 0},
		{"Windows zone unexplained", event("DTSTART;TZID=W. Europe Standard Time:20260101T100000"),
			"is not an IANA name", 0},
		{"the machine's zone", event("DTSTART;TZID=Local:20260101T100000"), "is not an IANA name", 0},
		{"the machine's zone as a file", event("DTSTART;TZID=localtime:20260101T100000"), "is not an IANA name", 0},
		{"a path for a zone", event("DTSTART;TZID=../../etc/passwd:20260101T100000"), "is not an IANA name", 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			_, err := calendar.Read(tc.text)
			var e *calendar.Error
			require.ErrorAs(t, err, &e)
			assert.Contains(t, e.Reason, tc.reason)
			assert.Equal(t, tc.line, e.Line, err)
		})
	}
}

// Line ends aside, what goes out is what came in.
func TestBytesChangesLineEndsOnly(t *testing.T) {
	t.Parallel()
	google := file(t, "google-request.ics")
	rapid.Check(t, func(rt *rapid.T) {
		lines := strings.Split(strings.TrimSuffix(google, "\r\n"), "\r\n")
		var b strings.Builder
		for i, line := range lines {
			b.WriteString(line)
			if rapid.Bool().Draw(rt, "pad") {
				b.WriteString(rapid.SampledFrom([]string{"", "\n ", "\r\n\t", "\n  "}).Draw(rt, "fold"))
			}
			if i < len(lines)-1 || rapid.Bool().Draw(rt, "final") {
				b.WriteString(rapid.SampledFrom([]string{"\n", "\r\n", "\r\r\n"}).Draw(rt, "end"))
			}
		}
		c, err := calendar.Read(b.String())
		require.NoError(rt, err)
		out := string(c.Bytes())
		want := strings.TrimSuffix(strings.ReplaceAll(b.String(), "\r", ""), "\n") + "\n"
		require.Equal(rt, want, strings.ReplaceAll(out, "\r", ""))
		require.Equal(rt, strings.Count(out, "\n"), strings.Count(out, "\r\n"))
		require.Equal(rt, strings.Count(out, "\r"), strings.Count(out, "\r\n"))
	})
}
