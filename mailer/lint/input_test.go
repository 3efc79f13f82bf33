package lint_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/invitemailer/invitemailer/mailer/lint"
)

// hostile are inputs that are large, deep or endless in one way each.
func hostile(t testing.TB) map[string]string {
	t.Helper()
	message := good(t, "good.eml")
	calendar := good(t, "good.eml")
	calendar = calendar[strings.Index(calendar, "BEGIN:VCALENDAR"):strings.Index(calendar, "\r\n--inner-4c1a--")]
	nested := strings.Builder{}
	nested.WriteString("From: a@example.com\r\nDate: Thu, 1 Apr 2027 12:00:00 +0000\r\nMIME-Version: 1.0\r\n")
	for i := range 10000 {
		fmt.Fprintf(&nested, "Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n", i, i)
	}
	repeat := func(s string, size int) string { return strings.Repeat(s, size/len(s)) }
	return map[string]string{
		"nothing":             "",
		"zeros":               strings.Repeat("\x00", 1<<20),
		"binary":              repeat("\x7fELF\x02\x01\xff\xfe", 1<<20),
		"50 MiB":              strings.Repeat("x: y\r\n", 50<<20/6),
		"10,000 nested parts": nested.String(),
		"10,000 parts": "Content-Type: multipart/mixed; boundary=b\r\n\r\n" +
			strings.Repeat("--b\r\nX: y\r\n\r\nz\r\n", 10000) + "--b--\r\n",
		"unfound delimiters": "Content-Type: multipart/mixed; boundary=b\r\n\r\n" + repeat("--c\r\n", 4<<20),
		"a 1 MiB field":      "Subject: " + strings.Repeat("x", 1<<20) + "\r\n" + message,
		"a 1 MiB type": strings.Replace(message, "text/calendar;",
			"text/calendar; "+repeat("a=b; ", 1<<20), 1),
		"1 MiB of addresses":     "To: " + repeat("a@example.com, ", 1<<20) + "b@example.com\r\n" + message,
		"1 MiB of comments":      "From: " + strings.Repeat("(", 1<<20) + "\r\n" + message,
		"1 MiB of encoded-words": "Subject: " + repeat("=?utf-8?q?", 1<<20) + "\r\n" + message,
		"100,000 fields":         strings.Repeat("X: y\r\n", 100000) + message,
		"endless folding":        "Subject: x" + strings.Repeat("\r\n ", 1<<19) + "\r\n" + message,
		"endless content folding": strings.Replace(calendar, "SUMMARY:",
			"SUMMARY:x"+strings.Repeat("\r\n ", 1<<19)+"\r\nX:", 1),
		"a million lines": strings.Replace(calendar, "SUMMARY:",
			strings.Repeat("X:y\r\n", 1000000)+"SUMMARY:", 1),
		"100,000 broken lines": strings.Replace(calendar, "SUMMARY:", strings.Repeat("x\r\n", 90000)+"SUMMARY:", 1),
		"30,000 attendees": strings.Replace(calendar, "STATUS:",
			strings.Repeat("ATTENDEE:mailto:a@example.com\r\n", 30000)+"STATUS:", 1),
		"a CANCEL to 30,000": strings.Replace(strings.Replace(calendar, "REQUEST", "CANCEL",
			1), "STATUS:", attendees(30000)+"X-STATUS:", 1),
		"20,000 events": strings.Replace(calendar, "BEGIN:VEVENT",
			strings.Repeat("BEGIN:VEVENT\r\nDTSTART;TZID=Asia/Tokyo:20270429T090000\r\n"+
				"DTEND:20270429T090000Z\r\nEND:VEVENT\r\n", 20000)+"BEGIN:VEVENT", 1),
		"20,000 zones":         strings.Replace(calendar, "STATUS:", zones(20000)+"STATUS:", 1),
		"256 KB of parameters": strings.Replace(calendar, "SUMMARY:", "SUMMARY;"+repeat("A=b;", 256<<10)+":", 1),
		"256 KB of quotes": strings.Replace(calendar, "SUMMARY:",
			"SUMMARY;A="+strings.Repeat(`"`, 256<<10)+":", 1),
		"a million BEGINs": "BEGIN:VCALENDAR\r\n" + strings.Repeat("BEGIN:VEVENT\r\n", 1000000),
		"a million ENDs":   "BEGIN:VCALENDAR\r\n" + strings.Repeat("END:VEVENT\r\n", 90000),
		"1 MiB of tags":    strings.Replace(message, "<h1>", repeat("<style><a href=3D\r\n", 1<<20)+"<h1>", 1),
		"1 MiB of links": strings.Replace(message, "<h1>",
			repeat("<a href=3D\"https://a\">\r\n", 1<<20)+"<h1>", 1),
		"1 MiB of cids":        strings.Replace(message, "<h1>", repeat("\"cid:x\"\r\n", 1<<20)+"<h1>", 1),
		"1 MiB of equal signs": strings.Replace(message, "<h1>", strings.Repeat("=", 1<<20)+"<h1>", 1),
		"only delimiters":      "Content-Type: multipart/mixed; boundary=\"\"\r\n\r\n" + repeat("--\r\n", 1<<20),
	}
}

func attendees(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "ATTENDEE:mailto:guest%d@example.com\r\n", i)
	}
	return b.String()
}

func zones(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "RDATE;TZID=Zone/%d:20270429T090000\r\n", i)
	}
	return b.String()
}

// What comes from outside may be anything: there is an answer, it is short, and no rule floods it.
func TestHostileInput(t *testing.T) {
	t.Parallel()
	for name, text := range hostile(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			before, err := lint.ReadPrevious([]byte(text))
			if err != nil {
				before, err = lint.ReadPrevious([]byte(good(t, "good.eml")))
				require.NoError(t, err)
			}
			for _, p := range []lint.Profile{lint.Own, lint.Any} {
				findings := lint.Check([]byte(text), lint.Options{Now: later(), Profile: p, Previous: before})
				counts := map[string]int{}
				for _, f := range findings {
					counts[f.Rule]++
					assert.LessOrEqual(t, len(f.What), 1000, f.Rule)
					assert.Less(t, len(f.Where), 200, f.Rule)
				}
				for rule, n := range counts {
					assert.LessOrEqual(t, n, 21, rule)
				}
			}
		})
	}
}

// What is beyond a limit is said, with the limit.
func TestLimitsAreReported(t *testing.T) {
	t.Parallel()
	inputs := hostile(t)
	for name, want := range map[string]string{
		"50 MiB":              "16 MiB",
		"10,000 nested parts": "deeper than 32",
		"10,000 parts":        "more than 1000 parts",
		"100,000 fields":      "10000 header fields",
		"a million lines":     "100,000 content lines",
		"a million BEGINs":    "deeper than 16",
		"nothing":             "nothing in it",
		"binary":              "neither a message nor",
	} {
		findings := lint.Check([]byte(inputs[name]), lint.Options{})
		require.NotEmpty(t, findings, name)
		assert.Equal(t, "IM00", findings[0].Rule, name)
		assert.Equal(t, lint.Error, findings[0].Level, name)
		assert.Contains(t, findings[0].What, want, name)
		assert.True(t, findings[0].Fatal, name)
	}
}

// A mistake in a thousand places is ten findings and a count.
func TestManyOfAKindAreCounted(t *testing.T) {
	t.Parallel()
	text := strings.ReplaceAll(good(t, "good.eml"), "STATUS:CONFIRMED\r\n",
		strings.Repeat("ATTENDEE:bob\r\n", 1000)+"STATUS:CONFIRMED\r\n")
	n, last := 0, lint.Finding{}
	for _, f := range lint.Check([]byte(text), lint.Options{Now: later()}) {
		if f.Rule == "IM32" {
			n, last = n+1, f
		}
	}
	assert.Equal(t, 11, n)
	assert.Equal(t, "the same in 990 more places", last.What)
	assert.Equal(t, lint.Error, last.Level)
}

// Who stops a mail for upstream's mistakes needs to know which of them leave no invitation, and
// whose they are.
func TestFatalAndOrigin(t *testing.T) {
	t.Parallel()
	type key struct {
		rule   string
		origin lint.Origin
		fatal  bool
	}
	for name, tc := range map[string]struct {
		edit edit
		want key
	}{
		"no METHOD": {inCalendar("METHOD:REQUEST\n", ""), key{"IM28", lint.Calendar, true}},
		"METHOD in the event": {inCalendar("METHOD:REQUEST\n", "", "BEGIN:VEVENT\n",
			"BEGIN:VEVENT\nMETHOD:REQUEST\n"), key{"IM28", lint.Calendar, true}},
		"METHOD behind": {inCalendar("METHOD:REQUEST\n", "", "END:VCALENDAR",
			"METHOD:REQUEST\nEND:VCALENDAR"), key{"IM28", lint.Calendar, false}},
		"another METHOD": {inCalendar("METHOD:REQUEST", "METHOD:PUBLISH"), key{"IM19", lint.Calendar, true}},
		"not invited":    {inCalendar("ada@example.org", "adam@example.org"), key{"IM33", lint.Calendar, true}},
		"no UID": {inCalendar("UID:5f0a2c1e-7d1b-4b7e-9a53-2f2c1d8a9e10\n", ""),
			key{"IM29", lint.Calendar, true}},
		"no event":      {inCalendar("VEVENT", "X-EVENT", "VEVENT", "X-EVENT"), key{"IM29", lint.Calendar, true}},
		"cut off":       {inCalendar("END:VEVENT\nEND:VCALENDAR\n", ""), key{"IM28", lint.Calendar, true}},
		"an error page": {inCalendar("BEGIN:VCALENDAR", "<html>"), key{"IM23", lint.Calendar, true}},
		"no PRODID": {inCalendar("PRODID:-//Example Corp//Invitations//EN\n", ""),
			key{"IM28", lint.Calendar, false}},
		"no zone":           {inCalendar("TZID:Europe/London", "TZID:X"), key{"IM45", lint.Calendar, false}},
		"lower case":        {change("method=REQUEST", "method=request"), key{"IM16", lint.Composed, false}},
		"another parameter": {change("method=REQUEST", "method=CANCEL"), key{"IM15", lint.Composed, false}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got []key
			for _, f := range lint.Check([]byte(tc.edit(t, good(t, "good.eml"))), lint.Options{}) {
				got = append(got, key{f.Rule, f.Origin, f.Fatal})
			}
			assert.Contains(t, got, tc.want)
		})
	}
	for _, f := range lint.Check([]byte(change("method=REQUEST\n",
		"method=REQUEST\nContent-Disposition: attachment\n")(t, good(t, "good.eml"))), lint.Options{}) {
		assert.False(t, f.Fatal)
	}
}

// A calendar alone is checked by the rules on calendars, and by nothing else.
func TestCalendarAlone(t *testing.T) {
	t.Parallel()
	text := ics(t, good(t, "good.eml"))
	assert.Empty(t, list(lint.Check([]byte(text), lint.Options{Now: later()})))

	findings := lint.Check([]byte(strings.Replace(text, "UID:", "X-UID:", 1)), lint.Options{})
	require.Len(t, findings, 1)
	assert.Equal(t, "error IM29: line 23: the VEVENT has no UID", findings[0].String())

	findings = lint.Check([]byte("\uFEFF"+text), lint.Options{})
	assert.Equal(t, "IM23 error", summary(findings))

	findings = lint.Check([]byte(strings.ReplaceAll(text, "\r\n", "\n")), lint.Options{Profile: lint.Any})
	assert.Equal(t, "IM47 warning", summary(findings))
}

// What is shown of the offending text can neither move the cursor nor turn the line around.
func TestOffendingTextIsEscaped(t *testing.T) {
	t.Parallel()
	text := inCalendar("ORGANIZER;CN=Jane Doe:mailto:jane@example.com",
		"ORGANIZER:\x1b[31m\u202e\u2028\xff"+strings.Repeat("ü", 100))(t, good(t, "good.eml"))
	for _, f := range lint.Check([]byte(text), lint.Options{}) {
		if f.Rule == "IM31" {
			assert.Equal(t, `ORGANIZER "\x1b[31m\u202e\u2028\xff`+strings.Repeat("ü",
				34)+`"…: no mailto: before the address`, f.What)
			return
		}
	}
	t.Fatal("no finding")
}

func TestReadPreviousRefuses(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "Subject: x\r\n\r\nhello\r\n",
		"BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n", "BEGIN:VTODO\r\nEND:VTODO\r\n"} {
		p, err := lint.ReadPrevious([]byte(text))
		require.Error(t, err, "%q", text)
		assert.Nil(t, p)
	}
}

// A retry of the same bytes is nothing new, and moving a time into another way of writing it is no
// change.
func TestPreviousIsComparedByMeaning(t *testing.T) {
	t.Parallel()
	text := good(t, "good-update.eml")
	p, err := lint.ReadPrevious([]byte(text))
	require.NoError(t, err)
	o := lint.Options{Now: later(), Previous: p}
	assert.Empty(t, list(lint.Check([]byte(text), o)))

	utc := inCalendar("DTSTART;TZID=Europe/London:20270429T110000", "DTSTART:20270429T100000Z",
		"20270402T120000Z", "20270402T130000Z")(t, text)
	assert.NotContains(t, summary(lint.Check([]byte(utc), o)), "IM38")

	moved := inCalendar("20270429T110000", "20270429T111500", "20270402T120000Z", "20270402T130000Z")(t, text)
	assert.Contains(t, summary(lint.Check([]byte(moved), o)), "IM38 error")
}

// Without a clock, nothing that needs one is reported.
func TestNoClock(t *testing.T) {
	t.Parallel()
	text := inCalendar("DTSTAMP:20270401T120000Z", "DTSTAMP:20990401T120000Z")(t, good(t, "good.eml"))
	assert.Empty(t, list(lint.Check([]byte(text), lint.Options{})))
	assert.Equal(t, "IM30 error", summary(lint.Check([]byte(text), lint.Options{Now: time.Unix(0, 0)})))
}
