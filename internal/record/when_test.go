package record

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// Local times around the changes of the clocks, by the rules of each zone.
func TestLocalTimes(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ zone, local, want string }{
		{"Europe/Berlin", "2027-01-15T09:30:00", "2027-01-15T08:30:00Z"},
		{"Europe/Berlin", "2027-07-15T09:30", "2027-07-15T07:30:00Z"},
		{"Europe/Berlin", "2027-03-28T01:59:59", "2027-03-28T00:59:59Z"},
		{"Europe/Berlin", "2027-03-28T02:00:00",
			"2027-03-28T02:00:00 is not shown by the clocks in Europe/Berlin, which go from 2027-03-28T02:00:00 to 2027-03-28T03:00:00 then; give a time that exists, or one with an offset such as +01:00"},
		{"Europe/Berlin", "2027-03-28T02:59:59", "is not shown"},
		{"Europe/Berlin", "2027-03-28T03:00:00", "2027-03-28T01:00:00Z"},
		{"Europe/Berlin", "2027-10-31T01:59:59", "2027-10-30T23:59:59Z"},
		{"Europe/Berlin", "2027-10-31T02:00:00",
			"2027-10-31T02:00:00 is shown twice by the clocks in Europe/Berlin, which are put back then; give it with its offset: 2027-10-31T02:00:00+02:00 or 2027-10-31T02:00:00+01:00"},
		{"Europe/Berlin", "2027-10-31T02:59:59", "is shown twice"},
		{"Europe/Berlin", "2027-10-31T03:00:00", "2027-10-31T02:00:00Z"},

		{"America/New_York", "2027-03-14T01:59:00", "2027-03-14T06:59:00Z"},
		{"America/New_York", "2027-03-14T02:30:00", "is not shown"},
		{"America/New_York", "2027-03-14T03:00:00", "2027-03-14T07:00:00Z"},
		{"America/New_York", "2027-11-07T00:59:00", "2027-11-07T04:59:00Z"},
		{"America/New_York", "2027-11-07T01:30:00", "2027-11-07T01:30:00-04:00 or 2027-11-07T01:30:00-05:00"},
		{"America/New_York", "2027-11-07T02:00:00", "2027-11-07T07:00:00Z"},

		// Half an hour.
		{"Australia/Lord_Howe", "2027-10-03T01:59:00", "2027-10-02T15:29:00Z"},
		{"Australia/Lord_Howe", "2027-10-03T02:15:00", "which go from 2027-10-03T02:00:00 to 2027-10-03T02:30:00 then"},
		{"Australia/Lord_Howe", "2027-10-03T02:30:00", "2027-10-02T15:30:00Z"},
		{"Australia/Lord_Howe", "2027-04-04T01:29:00", "2027-04-03T14:29:00Z"},
		{"Australia/Lord_Howe", "2027-04-04T01:45:00", "2027-04-04T01:45:00+11:00 or 2027-04-04T01:45:00+10:30"},
		{"Australia/Lord_Howe", "2027-04-04T02:00:00", "2027-04-03T15:30:00Z"},

		{"Asia/Kolkata", "2027-03-28T02:30:00", "2027-03-27T21:00:00Z"},
		{"Asia/Kolkata", "2027-10-31T02:30:00", "2027-10-30T21:00:00Z"},

		// Put back for Ramadan, and forward after it.
		{"Africa/Casablanca", "2027-02-07T02:30:00", "2027-02-07T02:30:00+01:00 or 2027-02-07T02:30:00Z"},
		{"Africa/Casablanca", "2027-02-20T12:00:00", "2027-02-20T12:00:00Z"},
		{"Africa/Casablanca", "2027-03-14T02:30:00", "is not shown"},
		{"Africa/Casablanca", "2027-06-01T12:00:00", "2027-06-01T11:00:00Z"},

		// The date line moved: a day that never was.
		{"Pacific/Apia", "2011-12-30T12:00:00", "which go from 2011-12-30T00:00:00 to 2011-12-31T00:00:00 then"},
		{"Pacific/Apia", "2011-12-31T12:00:00", "2011-12-30T22:00:00Z"},
		// The end of a year.
		{"Europe/Berlin", "2027-12-31T23:59:59", "2027-12-31T22:59:59Z"},
		{"Africa/Cairo", "2096-12-31T23:30:00", "2096-12-31T21:30:00Z"},
		{"America/New_York", "2097-01-01T00:00:00", "2097-01-01T05:00:00Z"},
		{"UTC", "2027-03-28T02:30:00", "2027-03-28T02:30:00Z"},
	} {
		for _, form := range []string{`"start":%q,"tzid":%q`, `"start":{"time":%q,"tzid":%q}`,
			`"tzid":"Asia/Tokyo","start":{"time":%q,"tzid":%q}`} {
			items := read(t, "a.json", fmt.Sprintf(`{"event":{`+form+`}}`, test.local, test.zone), Options{})
			require.Len(t, items, 1)
			if want, err := time.Parse(time.RFC3339, test.want); err == nil {
				if assert.Nil(t, items[0].Err, test.local) {
					assert.Equal(t, want, items[0].Invite.Event.Start.Time, "%s in %s", test.local, test.zone)
				}
			} else if assert.NotNil(t, items[0].Err, "%s in %s", test.local, test.zone) {
				assert.Equal(t, "event.start", items[0].Err.Field)
				assert.Contains(t, items[0].Err.Message, test.want)
			}
		}
	}
}

// The law: what resolves is shown by the clocks then; what an instant shows
// resolves to it, or is shown twice.
func TestResolveLocalLaw(t *testing.T) {
	t.Parallel()
	names := []string{"Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "Africa/Casablanca",
		"Europe/Dublin", "America/St_Johns", "Pacific/Apia", "Pacific/Chatham", "America/Nuuk",
		"Antarctica/Troll", "Africa/Cairo"}
	rapid.Check(t, func(t *rapid.T) {
		zone, err := time.LoadLocation(rapid.SampledFrom(names).Draw(t, "zone"))
		require.NoError(t, err)
		instant := time.Unix(rapid.Int64Range(0, 4e9).Draw(t, "instant"), 0).In(zone)
		if rapid.Bool().Draw(t, "near a change") {
			if _, end := instant.ZoneBounds(); !end.IsZero() {
				instant = end.Add(time.Duration(rapid.Int64Range(-90000, 90000).Draw(t, "off")) * time.Second)
			}
		}
		y, m, d := instant.Date()
		wall := time.Date(y, m, d, instant.Hour(), instant.Minute(), instant.Second(), 0, time.UTC)
		got, err := resolveLocal(wall, zone)
		if err != nil {
			require.ErrorContains(t, err, "is shown twice")
			return
		}
		require.True(t, got.Equal(instant), "%v became %v", instant, got)
	})
}

// What is wrong with a zone is told once, although start and end are both in it;
// and the machine's own zone is none, whatever its name.
func TestAnUnknownZoneIsToldOnce(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"W. Europe Standard Time", "UTC+2", "localtime", "posixrules", "Local",
		"Mars/Olympus"} {
		items := slices.Collect(Read("x.csv", strings.NewReader(
			"event.start,event.end,event.tzid\n2031-04-29T09:30:00,2031-04-29T10:00:00,"+name+"\n"), Options{}))
		require.Len(t, items, 1)
		require.NotNil(t, items[0].Err, name)
		assert.Equal(t, fmt.Sprintf("%q is no time zone; use an IANA name such as Europe/London (line 2, column 3)",
			name), items[0].Err.Message)
	}
}

// A time with an offset is no local one, and an hour has two digits.
func TestTimesWithAnOffsetAreToldFromLocalOnes(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"2027-04-29T09:30:00Z": false, "2027-04-29T09:30:00+02:00": false, "2027-04-29 09:30:00-08:00": false,
		"2027-04-29T9:30:00": false, "2027-04-29T9:30": false,
		"2027-04-29T09:30:00": true, "2027-04-29 09:30:00": true, "2027-04-29T09:30": true,
		"2027-04-29T09:30:00.5": true, "2027-04-29T09:30:00,25": true, // a fraction is refused with its own words
	} {
		_, local := parseLocal(text)
		assert.Equal(t, want, local, text)
	}
}
