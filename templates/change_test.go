package templates

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestChanges(t *testing.T) {
	t.Parallel()
	start := time.Date(2027, 4, 29, 9, 30, 0, 0, loadZone(t, "Europe/London"))
	base := Facts{Summary: "Board meeting", Description: "Plans.", Location: "Board room", Start: start, End: start.Add(time.Hour), TZID: "Europe/London"}
	day := time.Date(2027, 4, 29, 0, 0, 0, 0, time.UTC)
	whole := Facts{Start: day, End: day.AddDate(0, 0, 1), AllDay: true}
	tests := []struct {
		name   string
		from   Facts
		change func(*Facts)
		want   []string
	}{
		{"nothing", base, func(*Facts) {}, nil},
		{"the start", base, func(f *Facts) { f.Start = f.Start.Add(-time.Hour) }, []string{ChangedTime}},
		{"the end", base, func(f *Facts) { f.End = f.End.Add(time.Hour) }, []string{ChangedTime}},
		{"the same instants, held in UTC", base, func(f *Facts) { f.Start, f.End = f.Start.UTC(), f.End.UTC() }, nil},
		{"the zone", base, func(f *Facts) { f.TZID = "Europe/Lisbon" }, []string{ChangedTime}},
		{"the place", base, func(f *Facts) { f.Location = "Canteen" }, []string{ChangedPlace}},
		{"no place any more", base, func(f *Facts) { f.Location = "" }, []string{ChangedPlace}},
		{"white space", base, func(f *Facts) { f.Location, f.Description = " Board  room\r\n", "Plans. \r\n" }, nil},
		{"the title", base, func(f *Facts) { f.Summary = "Board breakfast" }, []string{ChangedTitle}},
		{"the description", base, func(f *Facts) { f.Description = "No plans." }, []string{ChangedDescription}},
		{"everything", base, func(f *Facts) { *f = Facts{} }, []string{ChangedTime, ChangedPlace, ChangedTitle, ChangedDescription}},
		{"to a whole day", base, func(f *Facts) { f.Start, f.End, f.AllDay = whole.Start, whole.End, true }, []string{ChangedTime}},
		{"another day", whole, func(f *Facts) { f.Start, f.End = day.AddDate(0, 0, 1), day.AddDate(0, 0, 2) }, []string{ChangedTime}},
		{"one more day", whole, func(f *Facts) { f.End = day.AddDate(0, 0, 2) }, []string{ChangedTime}},
		{"the zone of a whole day", whole, func(f *Facts) { f.TZID = "Europe/London" }, nil},
		{"the end of a whole day left out", whole, func(f *Facts) { f.End = time.Time{} }, nil},
		{"UTC spelt otherwise", Facts{Start: day, End: day.Add(time.Hour)}, func(f *Facts) { f.TZID = "Etc/UTC" }, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			now := tt.from
			tt.change(&now)
			var what []string
			for _, c := range Changes(tt.from, now) {
				what = append(what, c.What)
			}
			assert.Equal(t, tt.want, what)
		})
	}
}

// A change carries times, not words, so that each language words its own.
func TestChangesAreData(t *testing.T) {
	t.Parallel()
	start := time.Date(2027, 4, 29, 9, 30, 0, 0, time.UTC)
	got := Changes(Facts{Start: start, TZID: "UTC", Location: "Canteen"}, Facts{Start: start.Add(time.Hour), TZID: "UTC"})
	assert.Equal(t, []Change{
		{What: ChangedTime, Old: Value{Start: start, TZID: "UTC"}, New: Value{Start: start.Add(time.Hour), TZID: "UTC"}},
		{What: ChangedPlace, Old: Value{Text: "Canteen"}},
	}, got)
}
