package cronofytest_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/invitemailer/invitemailer/cronofy/cronofytest"
)

// zonesWorthATry have rules of every kind: none, southern, half hours, negative summer time,
// Ramadan, rules by date, days left out.
var zonesWorthATry = []string{
	"Europe/London", "Europe/Dublin", "Europe/Berlin", "Europe/Moscow", "Europe/Istanbul", "Europe/Lisbon",
	"America/New_York",
	"America/St_Johns", "America/Sao_Paulo", "America/Santiago", "America/Caracas", "America/Nuuk",
	"America/Havana", "America/Phoenix",
	"America/Asuncion", "Africa/Casablanca", "Africa/Cairo", "Africa/Monrovia", "Africa/Lagos", "Asia/Kolkata",
	"Asia/Kathmandu", "Asia/Tehran",
	"Asia/Jerusalem", "Asia/Gaza", "Asia/Pyongyang", "Asia/Tokyo", "Asia/Beirut", "Australia/Lord_Howe",
	"Australia/Sydney",
	"Antarctica/Troll", "Pacific/Apia", "Pacific/Chatham", "Pacific/Auckland", "Pacific/Kiritimati",
	"Pacific/Fiji", "Etc/GMT+5", "Etc/UTC",
}

// The definition of a zone in the calendar must lead a reader that knows nothing else to the very
// instants that were asked for.
func TestTimeZonesLeadToTheInstants(t *testing.T) {
	t.Parallel()
	s := cronofytest.New(cronofytest.Options{})
	rapid.Check(t, func(r *rapid.T) {
		name := rapid.SampledFrom(zonesWorthATry).Draw(r, "zone")
		loc, err := time.LoadLocation(name)
		require.NoError(r, err)
		start := time.Unix(rapid.Int64Range(0, 4733510400).Draw(r, "start"), 0).UTC() // until 2120
		if rapid.Bool().Draw(r, "near a change of the clocks") {
			if _, until := start.In(loc).ZoneBounds(); !until.IsZero() {
				start = until.Add(time.Duration(rapid.IntRange(-150, 150).Draw(r, "minutes from it")) * time.Minute).
					UTC()
			}
		}
		end := start.Add(time.Duration(rapid.IntRange(1, 600*24*60).Draw(r, "minutes long")) * time.Minute)
		_, text := create(t, s, object{
			"smart_invite_id": "x", "recipient": object{"email": "a@example.com"},
			"event": object{
				"summary": "s", "tzid": name, "start": start.Format("2006-01-02T15:04:05Z"),
				"end": end.Format("2006-01-02T15:04:05Z"),
			},
		})
		zone := readZone(r, text)
		assert.Equal(r, start, instantOf(r, text, "DTSTART", loc, zone), text)
		assert.Equal(r, end, instantOf(r, text, "DTEND", loc, zone), text)
	})
}

// The zone of an event that lasts for centuries stays small.
func TestLongEvent(t *testing.T) {
	t.Parallel()
	o := documentedObject(t)
	e := o["event"].(object)
	e["tzid"], e["end"] = "Asia/Jerusalem", "2999-04-29T10:00:00Z"
	_, text := create(t, cronofytest.New(cronofytest.Options{}), o)
	assert.Less(t, len(text), 4096)
}

// observance is a STANDARD or DAYLIGHT part of a VTIMEZONE.
type observance struct {
	onset    time.Time // local
	from, to time.Duration
}

// readZone reads the only VTIMEZONE there is; none gives nil.
func readZone(t require.TestingT, text string) []observance {
	var zone []observance
	for _, line := range lines(text) {
		name, value, _ := strings.Cut(line, ":")
		switch name {
		case "BEGIN":
			if value == "STANDARD" || value == "DAYLIGHT" {
				zone = append(zone, observance{})
			}
			if value == "VEVENT" {
				return zone
			}
		case "TZOFFSETFROM":
			zone[len(zone)-1].from = offset(t, value)
		case "TZOFFSETTO":
			zone[len(zone)-1].to = offset(t, value)
		case "DTSTART":
			onset, err := time.Parse("20060102T150405", value)
			require.NoError(t, err)
			zone[len(zone)-1].onset = onset
		}
	}
	return zone
}

func offset(t require.TestingT, value string) time.Duration {
	value = (value + "00")[:7]
	var sign byte
	var h, m, s int
	_, err := fmt.Sscanf(value, "%c%2d%2d%2d", &sign, &h, &m, &s)
	require.NoError(t, err, value)
	d := time.Duration(h)*time.Hour + time.Duration(m)*time.Minute + time.Duration(s)*time.Second
	if sign == '-' {
		return -d
	}
	return d
}

// instantOf reads a time of the event as RFC 5545 §3.6.5 says: the offset is that of the last
// onset before it.
func instantOf(t require.TestingT, text, name string, loc *time.Location, zone []observance) time.Time {
	event := false
	for _, line := range lines(text) {
		event = event || line == "BEGIN:VEVENT"
		if !event || !strings.HasPrefix(line, name) {
			continue
		}
		head, value, _ := strings.Cut(line, ":")
		if head == name {
			at, err := time.Parse("20060102T150405Z", value)
			require.NoError(t, err)
			if loc != time.UTC && loc.String() != "Etc/UTC" {
				require.True(t, shownTwice(at.In(loc)), "%s is in UTC for no reason", line)
			}
			return at
		}
		require.Equal(t, name+";TZID="+loc.String(), head)
		local, err := time.Parse("20060102T150405", value)
		require.NoError(t, err)
		var last time.Time
		var to time.Duration
		found := false
		for _, o := range zone {
			if !o.onset.After(local) && (!found || o.onset.After(last)) {
				last, to, found = o.onset, o.to, true
			}
		}
		require.True(t, found, "no observance for %s", line)
		return local.Add(-to)
	}
	require.Fail(t, "no "+name)
	return time.Time{}
}

// shownTwice tells whether the clocks show the same at another instant within a day.
func shownTwice(t time.Time) bool {
	const form = "20060102T150405"
	for _, near := range []time.Duration{-25 * time.Hour, 25 * time.Hour, -4 * time.Hour, 4 * time.Hour} {
		_, here := t.Zone()
		_, there := t.Add(near).Zone()
		other := t.Add(time.Duration(here-there) * time.Second)
		if !other.Equal(t) && other.Format(form) == t.Format(form) {
			return true
		}
	}
	return false
}
