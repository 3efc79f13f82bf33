package calendar_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/invitemailer/invitemailer/internal/calendar"
)

// zoned is a calendar with a VTIMEZONE named "Custom" and an event that starts in it.
func zoned(vtimezone, start string) string {
	vtimezone = strings.ReplaceAll(strings.TrimSpace(vtimezone), "\n", "\r\n")
	return "BEGIN:VCALENDAR\r\nBEGIN:VTIMEZONE\r\nTZID:Custom\r\n" + vtimezone +
		"\r\nEND:VTIMEZONE\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTART;TZID=Custom:" + start +
		"\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
}

const (
	eastern = `BEGIN:STANDARD
DTSTART:16010101T020000
TZOFFSETFROM:-0400
TZOFFSETTO:-0500
RRULE:FREQ=YEARLY;BYDAY=1SU;BYMONTH=11
END:STANDARD
BEGIN:DAYLIGHT
DTSTART:16010101T020000
TZOFFSETFROM:-0500
TZOFFSETTO:-0400
RRULE:FREQ=YEARLY;BYDAY=2SU;BYMONTH=3
END:DAYLIGHT`
	india = `BEGIN:STANDARD
DTSTART:00010101T000000
TZOFFSETFROM:+0530
TZOFFSETTO:+0530
END:STANDARD`
	history = `BEGIN:STANDARD
DTSTART:20000101T000000
TZOFFSETFROM:+0000
TZOFFSETTO:+0100
RDATE:20100101T000000,20120101T000000
END:STANDARD
BEGIN:DAYLIGHT
DTSTART:20050301T000000
TZOFFSETFROM:+0100
TZOFFSETTO:+0230
RRULE:FREQ=YEARLY;BYMONTH=3;BYMONTHDAY=1;UNTIL=20080229T230000Z
END:DAYLIGHT
BEGIN:DAYLIGHT
DTSTART:20110901T000000
TZOFFSETFROM:+0100
TZOFFSETTO:+0300
RRULE:FREQ=YEARLY;COUNT=1
END:DAYLIGHT`
	evolution = `BEGIN:STANDARD
DTSTART:19701101T020000
TZOFFSETFROM:-0400
TZOFFSETTO:-0500
RRULE:FREQ=YEARLY;BYMONTH=11;BYMONTHDAY=1,2,3,4,5,6,7;BYDAY=SU
END:STANDARD
BEGIN:DAYLIGHT
DTSTART:19700308T020000
TZOFFSETFROM:-0500
TZOFFSETTO:-0400
RRULE:FREQ=YEARLY;BYMONTH=3;BYMONTHDAY=8,9,10,11,12,13,14;BYDAY=SU
END:DAYLIGHT`
)

func TestZonesThatTheTextExplains(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ name, zone, start, want string }{
		{"winter", eastern, "20260115T100000", "-05:00"},
		{"summer", eastern, "20260715T100000", "-04:00"},
		{"last minute of winter", eastern, "20260308T015959", "-05:00"},
		{"the hour leapt over has the offset before", eastern, "20260308T023000", "-05:00"},
		{"first minute of summer", eastern, "20260308T030000", "-04:00"},
		{"the hour shown twice is the first", eastern, "20261101T013000", "-04:00"},
		{"after the hour shown twice", eastern, "20261101T020000", "-05:00"},
		{"no rule at all", india, "20260715T100000", "+05:30"},
		{"before the first onset", history, "19990101T000000", "+00:00"},
		{"after the first onset", history, "20010101T000000", "+01:00"},
		{"in a rule that ended", history, "20080301T020000", "+02:30"},
		{"an ended rule rules until something else begins", history, "20091231T000000", "+02:30"},
		{"after a date that ends it", history, "20100101T120000", "+01:00"},
		{"a rule for one time", history, "20111001T000000", "+03:00"},
		{"after the last date", history, "20260101T000000", "+01:00"},
		{"first Sunday among days", evolution, "20261031T120000", "-04:00"},
		{"from the first Sunday among days", evolution, "20261101T120000", "-05:00"},
		{"second Sunday among days", evolution, "20260308T120000", "-04:00"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			c := mustRead(t, zoned(tc.zone, tc.start))
			assert.Equal(t, "Custom", c.TZID)
			assert.Equal(t, tc.want, c.Start.Format("-07:00"))
		})
	}
}

// The rules of the United States in a VTIMEZONE and in the IANA database give the same instants,
// day and night, all year.
func TestVTimezoneAgreesWithIANA(t *testing.T) {
	t.Parallel()
	newYork, err := time.LoadLocation("America/New_York")
	require.NoError(t, err)
	for at := time.Date(2026, 1, 1, 0, 30, 0, 0, time.UTC); at.Year() < 2028; at = at.Add(97 * time.Hour) {
		wall := at.In(newYork).Format("20060102T150405")
		for _, zone := range []string{eastern, evolution} {
			c := mustRead(t, zoned(zone, wall))
			require.Equal(t, at, c.Start.UTC(), wall)
		}
	}
}

func TestZonesThatCannotBeRead(t *testing.T) {
	t.Parallel()
	for name, zone := range map[string]string{
		"empty":            "X-NOTHING:1",
		"no offset":        "BEGIN:STANDARD\nDTSTART:20000101T000000\nTZOFFSETFROM:+0000\nEND:STANDARD",
		"no start":         "BEGIN:STANDARD\nTZOFFSETFROM:+0000\nTZOFFSETTO:+0000\nEND:STANDARD",
		"offset too large": strings.ReplaceAll(india, "+0530", "+2500"),
		"offset odd":       strings.ReplaceAll(india, "+0530", "+05:30"),
		"monthly":          strings.ReplaceAll(eastern, "YEARLY", "MONTHLY"),
		"any Sunday":       strings.ReplaceAll(eastern, "1SU", "SU"),
		"two days":         strings.ReplaceAll(eastern, "1SU", "1SU,2SU"),
		"month 13":         strings.ReplaceAll(eastern, "BYMONTH=11", "BYMONTH=13"),
		"leap years":       strings.ReplaceAll(eastern, "BYMONTH=11", "INTERVAL=4"),
		"bad date":         strings.ReplaceAll(history, "20120101T000000", "2012"),
		"bad end":          strings.ReplaceAll(history, "20080229T230000Z", "never"),
		"no times":         strings.ReplaceAll(history, "COUNT=1", "COUNT=0"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := calendar.Read(zoned(zone, "20260101T100000"))
			var e *calendar.Error
			require.ErrorAs(t, err, &e)
			assert.Equal(t, "its VTIMEZONE cannot be read", e.Reason)
		})
	}
}
