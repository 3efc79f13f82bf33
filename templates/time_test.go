package templates

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestWhen(t *testing.T) {
	t.Parallel()
	const layout = "2006-01-02 15:04:05"
	tests := []struct {
		name       string
		zone       string // of the times; "" is UTC, "local" is time.Local
		start, end string
		allDay     bool
		tzid       string
		want       string
	}{
		{"same day", "Europe/London", "2027-04-29 09:30:00", "2027-04-29 10:00:00", false, "Europe/London",
			"Thursday, 29 April 2027, 09:30 – 10:00 (Europe/London, UTC+01:00)"},
		{"winter", "Europe/London", "2027-01-05 09:30:00", "2027-01-05 10:00:00", false, "Europe/London",
			"Tuesday, 5 January 2027, 09:30 – 10:00 (Europe/London, UTC+00:00)"},
		{"behind UTC", "America/New_York", "2027-04-29 09:30:00", "2027-04-29 10:00:00", false, "America/New_York",
			"Thursday, 29 April 2027, 09:30 – 10:00 (America/New_York, UTC-04:00)"},
		{"half an hour off", "Asia/Kolkata", "2027-04-29 09:30:00", "2027-04-29 10:00:00", false, "Asia/Kolkata",
			"Thursday, 29 April 2027, 09:30 – 10:00 (Asia/Kolkata, UTC+05:30)"},
		{"across midnight", "Europe/London", "2027-04-29 22:00:00", "2027-04-30 01:00:00", false, "Europe/London",
			"Thursday, 29 April 2027, 22:00 – Friday, 30 April 2027, 01:00 (Europe/London, UTC+01:00)"},
		{"until midnight", "Europe/London", "2027-04-29 22:00:00", "2027-04-30 00:00:00", false, "Europe/London",
			"Thursday, 29 April 2027, 22:00 – Friday, 30 April 2027, 00:00 (Europe/London, UTC+01:00)"},
		{"same clock time a day later", "Europe/London", "2027-04-29 22:00:00", "2027-04-30 22:00:00", false,
			"Europe/London", "Thursday, 29 April 2027, 22:00 – Friday, 30 April 2027, 22:00 (Europe/London, UTC+01:00)"},
		{"several days", "Europe/London", "2027-04-29 09:00:00", "2027-05-02 17:00:00", false, "Europe/London",
			"Thursday, 29 April 2027, 09:00 – Sunday, 2 May 2027, 17:00 (Europe/London, UTC+01:00)"},
		{"across new year", "Europe/London", "2027-12-31 22:00:00", "2028-01-01 02:00:00", false, "Europe/London",
			"Friday, 31 December 2027, 22:00 – Saturday, 1 January 2028, 02:00 (Europe/London, UTC+00:00)"},
		{"clocks forward in between", "Europe/London", "2027-03-28 00:30:00", "2027-03-28 03:00:00", false,
			"Europe/London", "Sunday, 28 March 2027, 00:30 – 03:00 (Europe/London, UTC+00:00 at the start, UTC+01:00 at the end: the clocks change in between)"},
		{"clocks back in between", "Europe/London", "2027-10-30 23:00:00", "2027-10-31 06:00:00", false,
			"Europe/London", "Saturday, 30 October 2027, 23:00 – Sunday, 31 October 2027, 06:00 (Europe/London, UTC+01:00 at the start, UTC+00:00 at the end: the clocks change in between)"},
		{"all day", "", "2027-04-29 00:00:00", "2027-04-30 00:00:00", true, "", "Thursday, 29 April 2027 (all day)"},
		{"all day without an end", "", "2027-04-29 00:00:00", "", true, "", "Thursday, 29 April 2027 (all day)"},
		{"all day, end not exclusive", "", "2027-04-29 00:00:00", "2027-04-29 00:00:00", true, "",
			"Thursday, 29 April 2027 (all day)"},
		{"all day in a zone keeps its date", "Pacific/Auckland", "2027-04-29 00:00:00", "2027-04-30 00:00:00", true,
			"America/Los_Angeles", "Thursday, 29 April 2027 (all day)"},
		{"several whole days", "", "2027-04-29 00:00:00", "2027-05-02 00:00:00", true, "",
			"Thursday, 29 April 2027 – Saturday, 1 May 2027 (all day, 3 days)"},
		{"whole days over a clock change", "Europe/London", "2027-03-27 00:00:00", "2027-03-30 00:00:00", true,
			"Europe/London", "Saturday, 27 March 2027 – Monday, 29 March 2027 (all day, 3 days)"},
		{"UTC by name", "", "2027-04-29 09:30:00", "2027-04-29 10:00:00", false, "UTC",
			"Thursday, 29 April 2027, 09:30 – 10:00 (UTC)"},
		{"UTC by another name", "", "2027-04-29 09:30:00", "2027-04-29 10:00:00", false, "Etc/UTC",
			"Thursday, 29 April 2027, 09:30 – 10:00 (UTC)"},
		{"UTC without a name", "", "2027-04-29 09:30:00", "2027-04-29 10:00:00", false, "",
			"Thursday, 29 April 2027, 09:30 – 10:00 (UTC)"},
		{"a zone without a city", "CET", "2027-07-29 09:30:00", "2027-07-29 10:00:00", false, "CET",
			"Thursday, 29 July 2027, 09:30 – 10:00 (CET, UTC+02:00)"},
		{"a zone whose name says the opposite", "Etc/GMT+5", "2027-04-29 09:30:00", "2027-04-29 10:00:00", false,
			"Etc/GMT+5", "Thursday, 29 April 2027, 09:30 – 10:00 (UTC-05:00)"},
		{"an offset without a name", "Asia/Tokyo", "2027-04-29 09:30:00", "2027-04-29 10:00:00", false, "",
			"Thursday, 29 April 2027, 09:30 – 10:00 (UTC+09:00)"},
		{"floating", "local", "2027-04-29 09:30:00", "2027-04-29 10:00:00", false, "",
			"Thursday, 29 April 2027, 09:30 – 10:00 (local time)"},
		{"floating in a zone that nobody knows", "local", "2027-04-29 09:30:00", "2027-04-29 10:00:00", false,
			"Mars/Phobos", "Thursday, 29 April 2027, 09:30 – 10:00 (Mars/Phobos)"},
		{"a zone that only the calendar knows", "Europe/Berlin", "2027-04-29 09:30:00", "2027-04-29 10:00:00", false,
			"W. Europe Standard Time", "Thursday, 29 April 2027, 09:30 – 10:00 (W. Europe Standard Time, UTC+02:00)"},
		{"times in another zone than the event's", "", "2027-04-29 08:30:00", "2027-04-29 09:00:00", false,
			"Europe/London", "Thursday, 29 April 2027, 09:30 – 10:00 (Europe/London, UTC+01:00)"},
		{"no end", "Europe/London", "2027-04-29 09:30:00", "", false, "Europe/London",
			"Thursday, 29 April 2027, 09:30 (Europe/London, UTC+01:00)"},
		{"no duration", "Europe/London", "2027-04-29 09:30:00", "2027-04-29 09:30:00", false, "Europe/London",
			"Thursday, 29 April 2027, 09:30 (Europe/London, UTC+01:00)"},
		{"seconds", "Europe/London", "2027-04-29 09:30:15", "2027-04-29 10:00:00", false, "Europe/London",
			"Thursday, 29 April 2027, 09:30:15 – 10:00 (Europe/London, UTC+01:00)"},
		{"no time", "", "", "", false, "Europe/London", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			loc := time.Local
			if tt.zone != "local" {
				loc = loadZone(t, tt.zone)
			}
			parse := func(s string) time.Time {
				if s == "" {
					return time.Time{}
				}
				parsed, err := time.ParseInLocation(layout, s, loc)
				assert.NoError(t, err)
				return parsed
			}
			d := Data{Start: parse(tt.start), End: parse(tt.end), AllDay: tt.allDay, TZID: tt.tzid}
			assert.Equal(t, tt.want, told(t, d))
		})
	}
}

// The hour between two equal clock times is not a meeting without duration.
// told is the event's time in English.
func told(t *testing.T, d Data) string {
	t.Helper()
	set, err := New(overlay(map[string]string{"layout.txt": `{{define "letter"}}{{range .Times}}{{template "time" .}}{{end}}{{end}}`}))
	require.NoError(t, err)
	words, err := set.Render(Invitation, d)
	require.NoError(t, err)
	return flat(words.Text)
}

func TestWhenClocksRepeatAnHour(t *testing.T) {
	t.Parallel()
	start := time.Date(2027, 10, 31, 0, 30, 0, 0, time.UTC) // 01:30 in summer time
	d := Data{Start: start, End: start.Add(time.Hour), TZID: "Europe/London"}
	assert.Equal(t, "Sunday, 31 October 2027, 01:30 – 01:30 (Europe/London, UTC+01:00 at the start, UTC+00:00 at the end: the clocks change in between)", told(t, d))
}
