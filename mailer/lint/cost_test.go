package lint_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/invitemailer/invitemailer/cronofy/cronofytest"
	"github.com/invitemailer/invitemailer/mailer/lint"
	"github.com/invitemailer/invitemailer/templates"
)

// sized is a good message of about n octets: more guests, more text, in every part.
func sized(t testing.TB, n int) []byte {
	t.Helper()
	text := good(t, "good.eml")
	guests := max(0, (n-len(text))/350)
	var calendar, plain, html strings.Builder
	for i := range guests {
		fmt.Fprintf(&calendar, "ATTENDEE;ROLE=OPT-PARTICIPANT;PARTSTAT=NEEDS-ACTION;RSVP=TRUE;"+
			"CN=Guest:\r\n mailto:guest%d@example.net\r\n", i)
		fmt.Fprintf(&plain, "Guest:      guest%d@example.net\r\n", i)
		fmt.Fprintf(&html, "<li>guest%d</li>\r\n", i)
	}
	text = strings.Replace(text, "Where:", plain.String()+"Where:", 1)
	text = strings.Replace(text, "<h1>", html.String()+"<h1>", 1)
	begin, end := strings.Index(text, "BEGIN:VCALENDAR"), strings.Index(text, "\r\n--inner-4c1a--")
	content := strings.Replace(text[begin:end], "STATUS:", calendar.String()+"STATUS:", 1)
	text = text[:begin] + content + text[end:]
	return []byte(attachment(t, text, content))
}

var sizes = []int{10_000, 100_000, 1_000_000}

func BenchmarkCheck(b *testing.B) {
	for _, n := range sizes {
		data := sized(b, n)
		b.Run(fmt.Sprintf("%dkB", n/1000), func(b *testing.B) {
			o := lint.Options{Now: later()}
			b.ReportAllocs()
			b.SetBytes(int64(len(data)))
			for b.Loop() {
				lint.Check(data, o)
			}
		})
	}
}

func BenchmarkCheckInvitation(b *testing.B) {
	api := cronofytest.New(cronofytest.Options{Now: noon})
	c := composed(b, templates.Invitation, ask(b, api, "request", []string{"ada@example.org"},
		event()), "ada@example.org", "")
	o := lint.Options{Now: noon()}
	require.Empty(b, lint.Check(c.Bytes, o))
	b.ReportAllocs()
	for b.Loop() {
		lint.Check(c.Bytes, o)
	}
}

func BenchmarkMessages(b *testing.B) {
	one := separator + good(b, "good.eml") + "\r\n"
	text := strings.Repeat(one, 100)
	b.ReportAllocs()
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		n := 0
		for _, err := range lint.Messages(strings.NewReader(text)) {
			require.NoError(b, err)
			n++
		}
		require.Equal(b, 100, n)
	}
}

// BenchmarkGrowth tells how the time of a check grows with the size of what is
// checked: the time for each octet of a large message against that of a small
// one. Each is the least of rounds that take turns, as whatever else the machine
// does only ever adds. testdata/performance holds them to a limit.
func BenchmarkGrowth(b *testing.B) {
	o := lint.Options{Now: later()}
	var messages [][]byte
	for _, n := range sizes {
		messages = append(messages, sized(b, n))
	}
	const rounds = 30
	for b.Loop() {
		least := make([]float64, len(sizes)) // ns for each octet
		for round := range rounds {
			for i, data := range messages {
				repeat := sizes[len(sizes)-1] / sizes[i] // about the same work for each
				start := time.Now()
				for range repeat {
					lint.Check(data, o)
				}
				took := float64(time.Since(start).Nanoseconds()) / float64(len(data)*repeat)
				if round == 0 || took < least[i] {
					least[i] = took
				}
			}
		}
		b.ReportMetric(least[0], "ns/octet")
		for i := 1; i < len(sizes); i++ {
			b.ReportMetric(least[i]/least[0], fmt.Sprintf("%dkB/%dkB", sizes[i]/1000, sizes[0]/1000))
		}
	}
}

// The memory that a check takes grows with the size of what is checked and not faster. What is
// allocated for each octet falls from the smallest message on, whose fixed part weighs the most;
// the third that is allowed on top is for what pools lose to a collection.
func TestMemoryIsLinear(t *testing.T) { // Not parallel: it counts what the process allocates.
	o := lint.Options{Now: later()}
	var least float64
	for i, n := range sizes {
		data := sized(t, n)
		require.Empty(t, without(lint.Check(data, o), "IM77"))
		each := allocated(func() { lint.Check(data, o) }) / float64(len(data))
		t.Logf("%d octets: %.2f for each", n, each)
		if i == 0 {
			least = each
		}
		assert.LessOrEqual(t, each, 1.3*least, "memory per octet at %d", n)
	}
}

// allocated is how many octets one call takes from the heap.
func allocated(f func()) float64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return float64(after.TotalAlloc - before.TotalAlloc)
}

func without(findings []lint.Finding, rule string) []lint.Finding {
	var rest []lint.Finding
	for _, f := range findings {
		if f.Rule != rule {
			rest = append(rest, f)
		}
	}
	return rest
}
