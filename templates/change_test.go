package templates

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestChanges(t *testing.T) {
	t.Parallel()
	start := time.Date(2027, 4, 29, 9, 30, 0, 0, loadZone(t, "Europe/London"))
	base := Data{Summary: "Board meeting", Description: "Plans.", Location: "Board room", Start: start,
		End: start.Add(time.Hour), TZID: "Europe/London"}
	day := time.Date(2027, 4, 29, 0, 0, 0, 0, time.UTC)
	whole := Data{Start: day, End: day.AddDate(0, 0, 1), AllDay: true}
	tests := []struct {
		name   string
		from   Data
		change func(*Data)
		want   []string
	}{
		{"nothing", base, func(*Data) {}, nil},
		{"the start", base, func(f *Data) { f.Start = f.Start.Add(-time.Hour) }, []string{"time"}},
		{"the end", base, func(f *Data) { f.End = f.End.Add(time.Hour) }, []string{"time"}},
		{"the same instants, held in UTC", base, func(f *Data) { f.Start, f.End = f.Start.UTC(), f.End.UTC() }, nil},
		{"the zone", base, func(f *Data) { f.TZID = "Europe/Lisbon" }, []string{"time"}},
		{"the place", base, func(f *Data) { f.Location = "Canteen" }, []string{"place"}},
		{"no place any more", base, func(f *Data) { f.Location = "" }, []string{"place"}},
		{"white space", base, func(f *Data) { f.Location, f.Description = " Board  room\r\n", "Plans. \r\n" }, nil},
		{"the title", base, func(f *Data) { f.Summary = "Board breakfast" }, []string{"title"}},
		{"the description", base, func(f *Data) { f.Description = "No plans." }, []string{"description"}},
		{"everything", base, func(f *Data) { *f = Data{} }, []string{"time", "place", "title", "description"}},
		{"to a whole day", base, func(f *Data) { f.Start, f.End, f.AllDay = whole.Start, whole.End, true },
			[]string{"time"}},
		{"another day", whole, func(f *Data) { f.Start, f.End = day.AddDate(0, 0, 1), day.AddDate(0, 0, 2) },
			[]string{"time"}},
		{"one more day", whole, func(f *Data) { f.End = day.AddDate(0, 0, 2) }, []string{"time"}},
		{"the zone of a whole day", whole, func(f *Data) { f.TZID = "Europe/London" }, nil},
		{"the end of a whole day left out", whole, func(f *Data) { f.End = time.Time{} }, nil},
		{"UTC spelt otherwise", Data{Start: day, End: day.Add(time.Hour)}, func(f *Data) { f.TZID = "Etc/UTC" }, nil},
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
	got := Changes(Data{Start: start, TZID: "UTC", Location: "Canteen"}, Data{Start: start.Add(time.Hour), TZID: "UTC"})
	assert.Equal(t, []Change{
		{What: "time", Old: Value{Start: start, TZID: "UTC"}, New: Value{Start: start.Add(time.Hour), TZID: "UTC"}},
		{What: "place", Old: Value{Text: "Canteen"}},
	}, got)
}
