package imip_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/invitemailer/invitemailer/cronofy/cronofytest"
	"github.com/invitemailer/invitemailer/mailer/imip"
	"github.com/invitemailer/invitemailer/mailer/message"
	"github.com/invitemailer/invitemailer/mailer/zone"
	"github.com/invitemailer/invitemailer/templates"
)

// sized is a good message of about n octets: more guests, more text, in every part.
func sized(t testing.TB, n int) []byte {
	t.Helper()
	text := good(t, "good.eml")
	guests := max(0, (n-len(text))/350)
	var calendar, plain, html strings.Builder
	for i := range guests {
		fmt.Fprintf(&calendar, "ATTENDEE;ROLE=OPT-PARTICIPANT;PARTSTAT=NEEDS-ACTION;RSVP=TRUE;CN=Guest:\r\n mailto:guest%d@example.net\r\n", i)
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
			o := imip.Options{Now: later()}
			b.ReportAllocs()
			b.SetBytes(int64(len(data)))
			for b.Loop() {
				imip.Check(data, o)
			}
		})
	}
}

func BenchmarkCheckInvitation(b *testing.B) {
	api := cronofytest.New(cronofytest.Options{Now: noon})
	c := composed(b, templates.Invitation, ask(b, api, "request", []string{"ada@example.org"}, event()), "ada@example.org", "")
	o := imip.Options{Now: noon(), Zones: new(zone.Zones)}
	require.Empty(b, imip.Check(c.Bytes, o))
	b.ReportAllocs()
	for b.Loop() {
		imip.Check(c.Bytes, o)
	}
}

func BenchmarkMessages(b *testing.B) {
	one := separator + good(b, "good.eml") + "\r\n"
	text := strings.Repeat(one, 100)
	b.ReportAllocs()
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		n := 0
		for _, err := range imip.Messages(strings.NewReader(text)) {
			require.NoError(b, err)
			n++
		}
		require.Equal(b, 100, n)
	}
}

// cost is the least time that each of some functions took, measured in turns, so that whatever else the machine does falls on all.
func cost(rounds int, run ...func()) []time.Duration {
	least := make([]time.Duration, len(run))
	for round := range rounds {
		for i, f := range run {
			start := time.Now()
			f()
			if d := time.Since(start); round == 0 || d < least[i] {
				least[i] = d
			}
		}
	}
	return least
}

// within tries a comparison of times up to five times: noise only ever makes one side slower, a true difference stays.
func within(t *testing.T, what string, compare func() (ratio, limit float64)) {
	t.Helper()
	var ratio, limit float64
	for range 5 {
		if ratio, limit = compare(); ratio <= limit {
			t.Logf("%s: %.2f of %.2f", what, ratio, limit)
			return
		}
	}
	t.Errorf("%s: %.2f, more than %.2f", what, ratio, limit)
}

// The cost of a check grows with the size and not faster, in time and in memory.
func TestCostIsLinear(t *testing.T) { // Not parallel: it takes the time.
	o := imip.Options{Now: later()}
	var run []func()
	var lengths, memory []float64
	for _, n := range sizes {
		data := sized(t, n)
		require.Empty(t, without(imip.Check(data, o), "IM77"))
		check := func() { imip.Check(data, o) }
		repeat := sizes[len(sizes)-1] / n // about the same work for each
		run = append(run, func() {
			for range repeat {
				check()
			}
		})
		lengths = append(lengths, float64(len(data)*repeat))
		memory = append(memory, allocated(check)/float64(len(data)))
	}
	for i := 1; i < len(sizes); i++ {
		assert.LessOrEqual(t, memory[i], 1.3*memory[0], "memory per octet at %d", sizes[i])
		if instrumented {
			continue
		}
		within(t, fmt.Sprintf("time per octet at %d", sizes[i]), func() (float64, float64) {
			least := cost(10, run[0], run[i])
			return float64(least[1]) / lengths[i] / (float64(least[0]) / lengths[0]), 1.3
		})
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

func without(findings []imip.Finding, rule string) []imip.Finding {
	var rest []imip.Finding
	for _, f := range findings {
		if f.Rule != rule {
			rest = append(rest, f)
		}
	}
	return rest
}

// The check before each submission must not make sending slow: it costs at most twice what composing the same mail does.
func TestCheckCostsLittleMoreThanComposing(t *testing.T) { // Not parallel: it takes the time.
	api := cronofytest.New(cronofytest.Options{Now: noon})
	calendar := ask(t, api, "request", []string{"ada@example.org"}, event())
	m := invitation(t, templates.Invitation, calendar, "ada@example.org", "")
	c, err := message.Compose(m)
	require.NoError(t, err)
	o := imip.Options{Now: noon(), Zones: new(zone.Zones)}
	require.Empty(t, imip.Check(c.Bytes, o)) // The first one reads the time zone from its database.
	check := allocated(func() { imip.Check(c.Bytes, o) })
	assert.LessOrEqual(t, check, 2*allocated(func() { _, err = message.Compose(m) }), "memory")
	require.NoError(t, err)
	if instrumented {
		return
	}
	within(t, "checking against composing", func() (float64, float64) {
		least := cost(20,
			func() {
				for range 50 {
					imip.Check(c.Bytes, o)
				}
			},
			func() {
				for range 50 {
					_, err = message.Compose(m)
				}
			})
		require.NoError(t, err)
		return float64(least[0]) / float64(least[1]), 2
	})
}
