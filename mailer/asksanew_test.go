package mailer

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/invitemailer/invitemailer/internal/calendar"
	"github.com/invitemailer/invitemailer/mailer/ledger"
)

// What was at a time that is not known any more is asked anew.
func TestAsksAnewWithoutTheOldCalendar(t *testing.T) {
	t.Parallel()
	c, err := calendar.Read("BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:1\r\n" +
		"DTSTART:20270429T080000Z\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n")
	require.NoError(t, err)
	for text, anew := range map[string]bool{string(c.Bytes()): false, "": true, "BEGIN:VCALENDAR": true} {
		e := ledger.Entry{LastSent: &ledger.Revision{Method: "request", Calendar: []byte(text)}}
		assert.Equal(t, anew, asksAnew(&e, c), text)
	}
	assert.True(t, asksAnew(&ledger.Entry{}, c))
}

// A series is at another time if its rule or its zone is another one.
func TestSameTimeOfASeries(t *testing.T) {
	t.Parallel()
	read := func(lines ...string) *calendar.Calendar {
		c, err := calendar.Read("BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nBEGIN:VEVENT\r\nUID:1\r\n" +
			strings.Join(lines, "\r\n") + "\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n")
		require.NoError(t, err)
		return c
	}
	const rule = "RRULE:FREQ=WEEKLY"
	const starts, ends = "DTSTART;TZID=Europe/Paris:20270429T100000", "DTEND;TZID=Europe/Paris:20270429T110000"
	weekly := read(starts, ends, rule)
	assert.True(t, sameTime(weekly, read(starts, ends, rule, "SUMMARY:Other")))
	assert.False(t, sameTime(weekly, read(starts, ends, rule+";COUNT=3")))
	assert.False(t, sameTime(weekly, read(starts, ends)))
	assert.False(t, sameTime(weekly, read("DTSTART:20270429T080000Z", "DTEND:20270429T090000Z", rule)),
		"in winter it is an hour off")
	assert.True(t, sameTime(read(starts, ends), read("DTSTART:20270429T080000Z", "DTEND:20270429T090000Z")))
	assert.False(t, sameTime(read("DTSTART:20270429T100000", "DTEND:20270429T110000"),
		read("DTSTART:20270429T100000Z", "DTEND:20270429T110000Z")), "a floating time is none of UTC")
	assert.False(t, sameTime(read("DTSTART;VALUE=DATE:20270429"),
		read("DTSTART:20270429T000000Z", "DTEND:20270430T000000Z")))
}
