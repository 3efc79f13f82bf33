package cronofytest_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	ics "github.com/arran4/golang-ical"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/invitemailer/invitemailer/cronofy/cronofytest"
)

var update = flag.Bool("update", false, "rewrite the golden files in testdata")

// The golden files hold what a reader of calendars has to cope with; golang-ical must find in
// them what was asked for.
func TestCalendars(t *testing.T) {
	t.Parallel()
	type golden struct {
		name      string
		options   cronofytest.Options
		posts     func(t *testing.T) []any // the last one gives the calendar
		method    string
		summary   string
		attendees []string
		start     time.Time
	}
	table := []golden{
		{
			name: "request", method: "REQUEST", summary: "Board meeting", attendees: []string{"cronofy@example.com"},
			posts: func(t *testing.T) []any { return []any{documentedObject(t)} },
			start: time.Date(2026, 4, 29, 9, 30, 0, 0, time.UTC),
		},
		{
			name: "cancel", method: "CANCEL", summary: "Board meeting", attendees: []string{"cronofy@example.com"},
			posts: func(t *testing.T) []any {
				o := documentedObject(t)
				o["event"].(object)["reminders"] = []object{{"minutes": 60}}
				return []any{o, object{
					"method": "cancel", "recipient": object{"email": "cronofy@example.com"},
					"smart_invite_id": "your-unique-identifier-for-invite",
				}}
			},
			start: time.Date(2026, 4, 29, 9, 30, 0, 0, time.UTC),
		},
		{
			name: "multi", method: "REQUEST", summary: "Board meeting", attendees: []string{"ada@example.com",
				"grace@example.org", "a+b%@example.net"},
			options: cronofytest.Options{CRLF: true},
			posts: func(t *testing.T) []any {
				o := documentedObject(t)
				delete(o, "recipient")
				delete(o, "organizer")
				o["recipients"] = []object{
					{"email": "ada@example.com"},
					{"email": "grace@example.org"},
					{"email": "a+b%@example.net"},
				}
				e := o["event"].(object)
				e["start"] = object{"time": "2026-04-29T09:30:00Z", "tzid": "America/New_York"}
				e["end"] = object{"time": "2026-04-29T10:00:00Z", "tzid": "Asia/Tokyo"}
				delete(e, "tzid")
				e["location"] = object{"description": "Board room", "lat": "51.5074", "long": "-0.1278"}
				e["url"] = "https://example.com/meeting?id=7&go=now"
				e["reminders"] = []object{{"minutes": 60}, {"minutes": 0}}
				e["transparency"] = "transparent"
				e["event_private"] = true
				return []any{o}
			},
			start: time.Date(2026, 4, 29, 9, 30, 0, 0, time.UTC),
		},
		{
			name: "date-only", method: "REQUEST", summary: "Away day", attendees: []string{"cronofy@example.com"},
			posts: func(t *testing.T) []any {
				o := documentedObject(t)
				o["event"] = object{
					"summary": "Away day",
					"start":   "2026-07-01",
					"end":     "2026-07-03",
					"tzid":    "Europe/Madrid",
				}
				return []any{o}
			},
			start: time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC),
		},
		{
			name: "non-ascii", method: "REQUEST", attendees: []string{"zoë@exämple.com"},
			summary: "Gespräch über „Café; Brot, Salz\\Pfeffer“ 🍞 mit Zoë",
			posts: func(t *testing.T) []any {
				o := documentedObject(t)
				o["recipient"] = object{"email": "zoë@exämple.com"}
				o["organizer"] = object{
					"name":  `Zoë "Zed" O'Neil, Müller & Söhne; Köln: ^`,
					"email": "zoe@myapplication.com",
				}
				o["event"] = object{
					"summary": "Gespräch über „Café; Brot, Salz\\Pfeffer“ 🍞 mit Zoë",
					"description": "Erste Zeile\r\nZweite Zeile: " +
						strings.Repeat("日本語のとても長い説明。", 12) + "\n\nEnde\a.",
					"start": "2026-10-24T22:00:00Z", "end": "2026-10-25T03:00:00Z", "tzid": "Africa/Casablanca",
					"location": object{"description": "Köln, Dom; Südturm"},
				}
				return []any{o}
			},
			start: time.Date(2026, 10, 24, 22, 0, 0, 0, time.UTC),
		},
	}
	for _, g := range table {
		t.Run(g.name, func(t *testing.T) {
			t.Parallel()
			g.options.Now = noon
			s := cronofytest.New(g.options)
			var text string
			for _, body := range g.posts(t) {
				_, text = create(t, s, body)
			}
			file := filepath.Join("testdata", g.name+".ics")
			if *update {
				require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
			}
			want, err := os.ReadFile(file) //nolint:gosec // a golden file
			require.NoError(t, err, "run go test with -update to make the golden files")
			assert.Equal(t, string(want), text)
			assertWellFormed(t, text, g.options.CRLF)

			calendar, err := ics.ParseCalendar(strings.NewReader(text))
			require.NoError(t, err)
			assert.Contains(t, lines(text), "METHOD:"+g.method)
			require.Len(t, calendar.Events(), 1)
			event := calendar.Events()[0]
			assert.Equal(t, g.summary, ics.FromText(event.GetProperty(ics.ComponentPropertySummary).Value))
			start, err := event.GetStartAt()
			require.NoError(t, err)
			assert.Equal(t, g.start, start.UTC())
			assert.Len(t, event.Attendees(), len(g.attendees))
			assert.Equal(t, g.method == "CANCEL", property(t, text, ics.ComponentPropertyStatus) == "CANCELLED")
			if g.method == "CANCEL" {
				assert.NotContains(t, text, "VALARM", "RFC 5546 §3.2.5")
			}
		})
	}
}

// assertWellFormed checks what RFC 5545 §3.1 says of content lines.
func assertWellFormed(t *testing.T, text string, crlf bool) {
	t.Helper()
	assert.Equal(t, crlf, strings.Contains(text, "\r"), "line ends")
	eol := "\n"
	if crlf {
		eol = "\r\n"
	}
	require.True(t, strings.HasSuffix(text, eol))
	for line := range strings.SplitSeq(strings.TrimSuffix(text, eol), eol) {
		assert.LessOrEqual(t, len(line), 75, line)
		assert.True(t, utf8.ValidString(line), "folded within a character: %q", line)
		assert.False(
			t,
			strings.ContainsFunc(line, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }),
			"control character: %q",
			line,
		)
	}
}

// A parameter that holds separators is quoted, and what quotes cannot hold is encoded (RFC 6868).
func TestOrganizerName(t *testing.T) {
	t.Parallel()
	table := map[string]string{
		"Ada Lovelace":       `CN=Ada Lovelace:`,
		"Lovelace, Ada":      `CN="Lovelace, Ada":`,
		"Ada: Head":          `CN="Ada: Head":`,
		"a;b":                `CN="a;b":`,
		`Ada "the" Countess`: `CN=Ada ^'the^' Countess:`,
		"a^b":                `CN=a^^b:`,
		"two\nlines":         `CN=two^nlines:`,
		"bell\a":             `CN=bell:`,
	}
	for name, want := range table {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := documentedObject(t)
			o["organizer"] = object{"name": name, "email": "o@example.com"}
			_, text := create(t, cronofytest.New(cronofytest.Options{}), o)
			assert.Contains(t, lines(text), "ORGANIZER;"+want+"mailto:o@example.com")
		})
	}
}

func TestDefaultOrganizer(t *testing.T) {
	t.Parallel()
	o := documentedObject(t)
	delete(o, "organizer")
	_, text := create(t, cronofytest.New(cronofytest.Options{}), o)
	assert.Contains(t, lines(text), "ORGANIZER;CN=application name:mailto:organizer@invite.cronofy.com")

	o["organizer"] = object{"email": "me@example.com"}
	_, text = create(t, cronofytest.New(cronofytest.Options{DefaultOrganizer: cronofytest.Organizer{Name: "Acme"}}), o)
	assert.Contains(t, lines(text), "ORGANIZER;CN=Acme:mailto:me@example.com")
}
