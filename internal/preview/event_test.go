package preview

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/invitemailer/invitemailer/internal/calendar"
)

// The hour is what people read the page for.
func TestTimesOfAnEvent(t *testing.T) {
	t.Parallel()
	const tokyo, lisbon = "Asia/Tokyo", "Europe/Lisbon"
	for name, c := range map[string]struct {
		event, reader string
		want          []string
		leaf          string
	}{
		"its own zone": {"DTSTART;TZID=Europe/London:20270429T093000\nDTEND;TZID=Europe/London:20270429T100000", "",
			[]string{"|Thursday, 29 April 2027, 09:30 – 10:00|Europe/London, UTC+01:00"}, "Thu 29 Apr"},
		"reader elsewhere": {"DTSTART;TZID=Europe/London:20270429T233000\nDTEND;TZID=Europe/London:20270430T003000",
			tokyo,
			[]string{"For the reader|Friday, 30 April 2027, 07:30 – 08:30|Asia/Tokyo, UTC+09:00",
				"For the event|Thursday, 29 April 2027, 23:30 – Friday, 30 April 2027, 00:30|Europe/London, UTC+01:00"}, "Fri 30 Apr"},
		"same clocks": {"DTSTART;TZID=Europe/London:20270429T093000\nDTEND;TZID=Europe/London:20270429T100000", lisbon,
			[]string{"|Thursday, 29 April 2027, 09:30 – 10:00|Europe/Lisbon, UTC+01:00"}, "Thu 29 Apr"},
		"UTC": {"DTSTART:20270429T093000Z\nDURATION:PT1H", tokyo,
			[]string{"For the reader|Thursday, 29 April 2027, 18:30 – 19:30|Asia/Tokyo, UTC+09:00",
				"For the event|Thursday, 29 April 2027, 09:30 – 10:30|UTC+00:00"}, "Thu 29 Apr"},
		"no end": {"DTSTART:20270429T093000Z", "", []string{"|Thursday, 29 April 2027, 09:30|UTC+00:00"}, "Thu 29 Apr"},
		"clocks change": {"DTSTART;TZID=Europe/London:20271031T003000\nDTEND;TZID=Europe/London:20271031T033000", "",
			[]string{"|Sunday, 31 October 2027, 00:30 – 03:30|Europe/London, UTC+01:00, then UTC+00:00"}, "Sun 31 Oct"},
		"floating": {"DTSTART:20270429T093000", tokyo,
			[]string{"|Thursday, 29 April 2027, 09:30|by the clocks of wherever the reader is"}, "Thu 29 Apr"},
		"all day": {"DTSTART;VALUE=DATE:20270429", tokyo, []string{"|Thursday, 29 April 2027, all day|"}, "Thu 29 Apr"},
		"days": {"DTSTART;VALUE=DATE:20270429\nDTEND;VALUE=DATE:20270502", "",
			[]string{"|Thursday, 29 April 2027 – Saturday, 1 May 2027, 3 days|"}, "Thu 29 Apr"},
		"none": {"STATUS:CANCELLED", tokyo, nil, "  "},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := looked(t, c.event, c.reader)
			var got []string
			for _, w := range e.Times {
				got = append(got, w.Label+"|"+w.Text+"|"+w.Zone)
			}
			assert.Equal(t, c.want, got)
			assert.Equal(t, c.leaf, e.Weekday+" "+e.Day+" "+e.Month)
		})
	}
}

func looked(t *testing.T, text, reader string) *event {
	t.Helper()
	ics := "BEGIN:VCALENDAR\nMETHOD:REQUEST\nBEGIN:VEVENT\nUID:1\n" + text + "\nEND:VEVENT\nEND:VCALENDAR\n"
	c, err := calendar.Read(strings.ReplaceAll(ics, "\n", "\r\n"))
	require.NoError(t, err)
	var zone *time.Location
	if reader != "" {
		zone, err = time.LoadLocation(reader)
		require.NoError(t, err)
	}
	return lookAt(c, zone)
}

// The bar stands at the hours that the text says, and nowhere where a day is too short for it.
func TestBarOfADay(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		event string
		want  *bar
	}{
		"morning":  {"DTSTART:20270429T090000Z\nDTEND:20270429T103000Z", &bar{90, 15}},
		"midnight": {"DTSTART:20270429T230000Z\nDTEND:20270430T000000Z", &bar{230, 10}},
		"moment":   {"DTSTART:20270429T120000Z", &bar{120, 2}},
		"over":     {"DTSTART:20270429T230000Z\nDTEND:20270430T010000Z", nil},
	} {
		assert.Equal(t, c.want, looked(t, c.event, "").Times[0].Bar, name)
	}
}

// Only a link of the web is one; a calendar's place may be anything.
func TestPlaceIsALink(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]bool{
		"https://meet.example.com/a?b=c": true, "http://example.com": true, "https:///x": false, "javascript:alert(1)": false,
		"data:text/html,x": false, "Board room": false, "https://exa mple.com": false, "//example.com": false,
	} {
		assert.Equal(t, want, looked(t, "LOCATION:"+s, "").WhereURL != "", s)
	}
}
