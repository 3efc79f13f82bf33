package calendar_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/invitemailer/invitemailer/internal/calendar"
)

// hostile are texts that would make a careless parser take seconds, gigabytes or the whole stack.
// Each is refused with its own reason.
var hostile = []struct {
	name   string
	text   func() string
	reason string
}{
	{"parameters to the size limit", func() string {
		return event("ATTENDEE" + strings.Repeat(";A=1", calendar.MaxSize/4-64) + ":mailto:a@example.com")
	}, "more than 100 parameters"},
	{"one endless parameter", func() string {
		return event("ATTENDEE;CN=" + strings.Repeat("a", calendar.MaxSize-1024) + ":mailto:a@example.com")
	}, "octets before its value"},
	{"an open quote without end", func() string {
		return event(`ATTENDEE;CN="` + strings.Repeat("a:", calendar.MaxSize/2-1024))
	}, "double quote where none can be"},
	{"a listed value without end", func() string {
		return event("ATTENDEE;MEMBER=" + strings.Repeat("a,", calendar.MaxSize/4) + ":mailto:a@example.com")
	}, "more than 100 parameters"},
	{"folded at every octet", func() string {
		return event("ATTENDEE;CN=" + strings.Repeat("\r\n a", calendar.MaxSize/5) + ":mailto:a@example.com")
	}, "octets before its value"},
	{"components nested without end", func() string {
		return "BEGIN:VCALENDAR\n" + strings.Repeat("BEGIN:A\n", calendar.MaxSize/8-4)
	}, "nested more than 8 deep"},
	{"millions of components", func() string {
		return "BEGIN:VCALENDAR\n" + strings.Repeat("BEGIN:A\n", 4<<20)
	}, "more than the 262144 allowed"},
	{"a word without end", func() string { return strings.Repeat("A", calendar.MaxSize) }, "does not begin with"},
	{"blank lines without end", func() string { return strings.Repeat("\n", calendar.MaxSize) }, "does not begin with"},
}

func TestHostileTextsAreRefused(t *testing.T) {
	t.Parallel()
	for _, tc := range hostile {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			_, err := calendar.Read(tc.text())
			var e *calendar.Error
			require.ErrorAs(t, err, &e)
			assert.Contains(t, e.Reason, tc.reason)
		})
	}
}

// What the limits let through must stay cheap: these are the worst texts found that are read.
func worst() map[string]string {
	attendee := "ATTENDEE" + strings.Repeat(";A=1", calendar.MaxParameters) + ":mailto:a@example.com"
	return map[string]string{
		"one long value": event("ATTENDEE" + strings.Repeat(";A=1", calendar.MaxParameters) +
			":" + strings.Repeat("a", calendar.MaxSize-2048)),
		"many parameters": event(strings.Repeat(attendee+"\r\n",
			(calendar.MaxSize-1024)/(len(attendee)+2)) + "SUMMARY:x"),
		"many components": "BEGIN:VCALENDAR\nBEGIN:VEVENT\nEND:VEVENT\n" +
			strings.Repeat("BEGIN:A\nEND:A\n", calendar.MaxSize/14-10) + "END:VCALENDAR\n",
		"many attendees": event(strings.Repeat("ATTENDEE:mailto:a@b.c\r\n", calendar.MaxSize/24) + "SUMMARY:x"),
		"many events": "BEGIN:VCALENDAR\n" + strings.Repeat("BEGIN:VEVENT\nEND:VEVENT\n",
			calendar.MaxSize/25) + "END:VCALENDAR\n",
		"many onsets": "BEGIN:VCALENDAR\nBEGIN:VTIMEZONE\nTZID:x\nBEGIN:STANDARD\n" +
			"DTSTART:20000101T000000\nTZOFFSETFROM:+0000\nTZOFFSETTO:+0000\nRDATE:" +
			strings.Repeat("20200101T000000,", calendar.MaxSize/18) +
			"20200101T000000\nEND:STANDARD\nEND:VTIMEZONE\nBEGIN:VEVENT\nDTSTART;" +
			"TZID=x:20260101T000000\nEND:VEVENT\nEND:VCALENDAR\n",
	}
}

func TestWorstTextsAreRead(t *testing.T) {
	t.Parallel()
	for name, text := range worst() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.LessOrEqual(t, len(text), calendar.MaxSize)
			require.Greater(t, len(text), calendar.MaxSize*8/10)
			_, err := calendar.Read(text)
			require.NoError(t, err)
		})
	}
}

// The work must grow with the length of the text and no faster. Allocations stand for the work: the
// same text always needs the same number of them.
func TestReadIsLinear(t *testing.T) {
	measure := func(n int) float64 {
		attendees := strings.Repeat("ATTENDEE;CN=Ada;RSVP=TRUE;PARTSTAT=NEEDS-ACTION:mailto:ada@example.com\r\n", n)
		text := event(attendees + "SUMMARY:x")
		return testing.AllocsPerRun(5, func() {
			_, err := calendar.Read(text)
			require.NoError(t, err)
		})
	}
	small, large := measure(200), measure(2000)
	assert.Less(t, large/small, 12.0, "ten times the text, about ten times the work")
}

func TestDepthAtTheLimit(t *testing.T) {
	t.Parallel()
	nested := func(depth int) string {
		inner := depth - 1
		var b strings.Builder
		b.WriteString("BEGIN:VCALENDAR\nBEGIN:VEVENT\nEND:VEVENT\n")
		for i := range inner {
			fmt.Fprintf(&b, "BEGIN:A%d\n", i)
		}
		for i := inner - 1; i >= 0; i-- {
			fmt.Fprintf(&b, "END:A%d\n", i)
		}
		return b.String() + "END:VCALENDAR\n"
	}
	_, err := calendar.Read(nested(calendar.MaxDepth))
	require.NoError(t, err)
	_, err = calendar.Read(nested(calendar.MaxDepth + 1))
	var e *calendar.Error
	require.ErrorAs(t, err, &e)
	assert.Contains(t, e.Reason, "nested more than")
}

func BenchmarkRead(b *testing.B) {
	for _, name := range []string{"google-request.ics", "exchange-request.ics", "attachment-allday.ics"} {
		text := file(b, name)
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				if _, err := calendar.Read(text); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkReadHostile(b *testing.B) {
	for _, tc := range hostile {
		text := tc.text()
		b.Run(strings.ReplaceAll(tc.name, " ", "-"), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := calendar.Read(text); err == nil {
					b.Fatal("read")
				}
			}
		})
	}
}

func BenchmarkReadWorst(b *testing.B) {
	for name, text := range worst() {
		b.Run(strings.ReplaceAll(name, " ", "-"), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := calendar.Read(text); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
