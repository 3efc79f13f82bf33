package sandbox_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/smtp"
	"strconv"
	"time"

	"github.com/invitemailer/invitemailer/cronofy"
	"github.com/invitemailer/invitemailer/cronofy/cronofytest"
	"github.com/invitemailer/invitemailer/mailer"
	"github.com/invitemailer/invitemailer/mailer/sandbox"
	"github.com/invitemailer/invitemailer/mailer/submission"
)

// answers is a booking system's handler of callbacks.
func answers(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
	if err != nil || cronofy.VerifyCallback(body, r.Header.Get(cronofy.CallbackHeader), sandbox.DefaultAPIKey) != nil {
		http.Error(w, "no such thing", http.StatusForbidden)
		return
	}
	if c, err := cronofy.ParseCallback(body); err == nil && c.SmartInvite.Reply != nil {
		fmt.Println(c.SmartInvite.Reply.Email, c.SmartInvite.Reply.Status, c.SmartInvite.Reply.Comment)
	}
}

// newMailer is how a booking system makes its Mailer; here it is told where the sandbox is.
func newMailer(s *sandbox.Sandbox, callbackURL string) (*mailer.Mailer, error) {
	api, err := cronofy.New(cronofy.Config{APIKey: sandbox.DefaultAPIKey, BaseURL: s.APIURL()})
	if err != nil {
		return nil, err
	}
	host, port, err := net.SplitHostPort(s.SMTPAddr())
	if err != nil {
		return nil, err
	}
	number, err := strconv.Atoi(port)
	if err != nil {
		return nil, err
	}
	submitter, err := submission.New(submission.Config{Host: host, Port: number, TLS: submission.TLSNone})
	if err != nil {
		return nil, err
	}
	return mailer.New(mailer.Config{API: api, Submitter: submitter, From: "Acme HR <hr@acme.example>",
		Organizer: mailer.Organizer{Name: "Acme HR", Email: "hr@acme.example"}, CallbackURL: callbackURL})
}

func interview() mailer.Invite {
	start := time.Date(2087, 4, 29, 9, 30, 0, 0, time.UTC)
	return mailer.Invite{
		ID:        "interview-17",
		Recipient: mailer.Recipient{Email: "ann@example.org"},
		Event: &cronofy.Event{
			Summary: "Interview", TZID: "Europe/London", Start: cronofy.EventTime{Time: start},
			End: cronofy.EventTime{Time: start.Add(time.Hour)},
		},
	}
}

// A booking system's own test: it sends an invitation, answers it as the recipient's mail client
// would, and sees its handler called. Errors are left out here; a test requires that there are
// none.
func Example() {
	ctx := context.Background()
	s, _ := sandbox.Start(ctx, sandbox.Options{})
	program := httptest.NewServer(http.HandlerFunc(answers))
	m, _ := newMailer(s, program.URL)
	_, _ = m.Send(ctx, interview())

	invitation := s.Mails()[0]
	reply, _ := cronofytest.ReplyMail(
		invitation.Raw,
		cronofytest.Answer{Status: "accepted", Comment: "see you there"})
	_ = smtp.SendMail(s.SMTPAddr(), nil, "ann@example.org", []string{"hr@acme.example"}, reply)

	_ = s.API().Wait(ctx) // until the callback has arrived
	_, _ = m.Shutdown(context.Background()), s.Close()
	program.Close()
	// Output:
	// ann@example.org accepted see you there
}
