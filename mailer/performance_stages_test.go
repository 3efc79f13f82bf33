package mailer_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/invitemailer/invitemailer/internal/address"
	"github.com/invitemailer/invitemailer/internal/calendar"
	"github.com/invitemailer/invitemailer/internal/message"
	"github.com/invitemailer/invitemailer/mailer"
	"github.com/invitemailer/invitemailer/mailer/ledger"
	"github.com/invitemailer/invitemailer/mailer/lint"
	"github.com/invitemailer/invitemailer/templates"
)

// stage is one stage of the way, for the i-th invite of some round.
type stage struct {
	name string
	do   func(ctx context.Context, id string) error
}

// stages are all stages of the way, each from what the one before gave it.
func (w *way) stages(tb testing.TB) []stage {
	tb.Helper()
	s := w.take(tb)
	set, err := templates.New()
	require.NoError(tb, err)
	words, err := set.Render(templates.Invitation, s.words)
	require.NoError(tb, err)
	c, err := calendar.Read(s.calendar)
	require.NoError(tb, err)
	from, err := address.Parse(s.envelope.From)
	require.NoError(tb, err)
	to, err := address.Parse(s.envelope.To)
	require.NoError(tb, err)
	m := message.Message{From: message.Mailbox{Name: "Jane Doe", Address: from}, To: message.Mailbox{Name: "Ann Lee", Address: to},
		Subject: words.Subject, Text: words.Text, HTML: words.HTML, Calendar: c.Bytes(), Method: c.Method, Date: today, MessageID: "stage@example.com"}
	made := ledger.NewRevision{Recipient: s.envelope.To, EndsAt: c.End, Revision: ledger.Revision{
		Kind: mailer.Invitation, Method: "request", Fingerprint: "v1:0d5a1f5d2c6e4b7f9a8c1e2d3f4a5b6c", Calendar: c.Bytes(),
		UID: c.UID, Sequence: c.Sequence, DTStamp: c.DTStamp, OrganizerName: "Jane Doe", OrganizerEmail: s.envelope.From, State: ledger.Created}}

	return []stage{
		{"create", func(ctx context.Context, id string) error {
			_, err := w.api.Create(ctx, request(id))
			return err
		}},
		{"calendar", func(context.Context, string) error {
			_, err := calendar.Read(s.calendar)
			return err
		}},
		{"render", func(context.Context, string) error {
			_, err := set.Render(templates.Invitation, s.words)
			return err
		}},
		{"compose", func(context.Context, string) error {
			_, err := message.Compose(m)
			return err
		}},
		{"check", func(context.Context, string) error {
			for _, f := range lint.Check(s.message, lint.Options{Now: time.Now(), Profile: lint.Own}) {
				if f.Level == lint.Error {
					return fmt.Errorf("rule %s: %s", f.Rule, f.What)
				}
			}
			return nil
		}},
		{"ledger", func(ctx context.Context, id string) error { return w.life(ctx, id, s, made) }},
		{"submit", func(ctx context.Context, _ string) error { return w.smtp.Submit(ctx, s.envelope, s.message).Err }},
	}
}

// BenchmarkStage is each stage by itself, and "way" all of them as one Send. The
// API gives one answer to everything, and the SMTP server allocates nothing, so
// that what is allocated is ours.
func BenchmarkStage(b *testing.B) {
	w := newWay(b, wayOptions{canned: true})
	run := func(name string, do func(ctx context.Context, id string) error) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			ids := make([]string, b.N)
			for i := range ids {
				ids[i] = fmt.Sprintf("%s-%d-%09d", name, b.N, i)
			}
			require.NoError(b, do(b.Context(), name+"-first-"+fmt.Sprint(b.N))) // connections, caches
			b.ResetTimer()
			for i := range b.N {
				if err := do(b.Context(), ids[i]); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	for _, s := range w.stages(b) {
		run(s.name, s.do)
	}
	m, err := mailer.New(w.config)
	require.NoError(b, err)
	defer func() { require.NoError(b, m.Shutdown(context.Background())) }()
	run("way", func(ctx context.Context, id string) error {
		invite := boardMeeting()
		invite.ID = id
		_, err := m.Send(ctx, invite)
		return err
	})
}
