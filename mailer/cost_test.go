package mailer_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/invitemailer/invitemailer/mailer/address"
	"github.com/invitemailer/invitemailer/mailer/imip"
	"github.com/invitemailer/invitemailer/mailer/message"
	"github.com/invitemailer/invitemailer/templates"
)

// BenchmarkStages holds the stages against each other in one run: to write the
// words of a mail, and to check it, may each cost at most twice what composing
// it costs. It takes medians of interleaved rounds, so that a busy machine slows
// all of them alike.
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

	stages := map[string]func(){
		"render":  func() { _, err = set.Render(templates.Invitation, data) },
		"compose": func() { _, err = message.Compose(m) },
		"check":   func() { imip.Check(composed.Bytes, imip.Options{Profile: imip.Own}) },
	}
	const rounds, each = 25, 40
	for b.Loop() {
		took := make(map[string][]time.Duration)
		for range rounds {
			for name, stage := range stages {
				start := time.Now()
				for range each {
					stage()
				}
				took[name] = append(took[name], time.Since(start)/each)
				require.NoError(b, err)
			}
		}
		median := func(name string) float64 {
			slices.Sort(took[name])
			return float64(took[name][rounds/2].Microseconds())
		}
		compose := median("compose")
		b.ReportMetric(compose, "compose-µs")
		for _, name := range []string{"render", "check"} {
			ratio := median(name) / compose
			b.ReportMetric(ratio, name+"/compose")
			if ratio > 2 {
				b.Errorf("%s costs %.2f times what composing costs, more than 2", name, ratio)
			}
		}
	}
}

func mustLoad(tb testing.TB, name string) *time.Location {
	tb.Helper()
	l, err := time.LoadLocation(name)
	require.NoError(tb, err)
	return l
}

func stageMessage(tb testing.TB, words templates.Words) message.Message {
	tb.Helper()
	h := newHouse(tb, nil)
	returned := &lastCalendar{api: h.cfg.API}
	h.cfg.API = returned
	h.send(tb, boardMeeting())
	jane, err := address.Parse("jane@example.com")
	require.NoError(tb, err)
	ann, err := address.Parse("ann@example.org")
	require.NoError(tb, err)
	return message.Message{From: message.Mailbox{Name: "Jane Doe", Address: jane}, To: message.Mailbox{Name: "Ann Lee", Address: ann},
		Subject: words.Subject, Text: words.Text, HTML: words.HTML, Calendar: []byte(crlf(returned.text())), Method: "REQUEST",
		Date: today, MessageID: "stage@example.com"}
}
