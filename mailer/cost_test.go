package mailer_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/invitemailer/invitemailer/internal/address"
	"github.com/invitemailer/invitemailer/internal/message"
	"github.com/invitemailer/invitemailer/mailer/lint"
	"github.com/invitemailer/invitemailer/templates"
)

// BenchmarkStages tells what writing the words of a mail and checking it cost
// against composing it: the least of rounds that take turns, as noise only ever
// makes a stage slower. testdata/performance holds the ratios to limits.
func BenchmarkStages(b *testing.B) {
	set, err := templates.New()
	require.NoError(b, err)
	var data templates.Data
	for s := range set.Samples() {
		if s.Event == "plain" && s.Kind == templates.Invitation && s.Lang == "en" {
			data = s.Data
		}
	}
	data.Start = data.Start.In(mustLoad(b, "Europe/London"))
	words, err := set.Render(templates.Invitation, data)
	require.NoError(b, err)
	m := stageMessage(b, words)
	composed, err := message.Compose(m)
	require.NoError(b, err)

	o := lint.Options{Profile: lint.Own}
	stages := map[string]func(){
		"render":  func() { _, err = set.Render(templates.Invitation, data) },
		"compose": func() { _, err = message.Compose(m) },
		"check":   func() { lint.Check(composed.Bytes, o) },
	}
	for b.Loop() {
		least := leastCosts(stages)
		require.NoError(b, err)
		b.ReportMetric(float64(least["compose"].Nanoseconds())/1e3, "compose-µs")
		for _, name := range []string{"render", "check"} {
			b.ReportMetric(float64(least[name])/float64(least["compose"]), name+"/compose")
		}
	}
}

// leastCosts is the least time that one call of each stage took, measured in turns.
func leastCosts(stages map[string]func()) map[string]time.Duration {
	const rounds, each = 150, 20
	least := make(map[string]time.Duration)
	for range rounds {
		for name, stage := range stages {
			start := time.Now()
			for range each {
				stage()
			}
			took := time.Since(start) / each
			if before, measured := least[name]; !measured || took < before {
				least[name] = took
			}
		}
	}
	return least
}

func mustLoad(tb testing.TB, name string) *time.Location {
	tb.Helper()
	l, err := time.LoadLocation(name)
	require.NoError(tb, err)
	return l
}

func stageMessage(tb testing.TB, words templates.Content) message.Message {
	tb.Helper()
	h := newFixture(tb, nil)
	returned := &lastCalendar{api: h.cfg.API}
	h.cfg.API = returned
	h.send(tb, boardMeeting())
	jane, err := address.Parse("jane@example.com")
	require.NoError(tb, err)
	ann, err := address.Parse("ann@example.org")
	require.NoError(tb, err)
	return message.Message{From: message.Mailbox{Name: "Jane Doe", Address: jane},
		To:      message.Mailbox{Name: "Ann Lee", Address: ann},
		Subject: words.Subject, Text: words.Text, HTML: words.HTML,
		Calendar: []byte(crlf(returned.text())), Method: "REQUEST",
		Date: today, MessageID: "stage@example.com"}
}
