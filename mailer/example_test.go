package mailer_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/invitemailer/invitemailer/cronofy"
	"github.com/invitemailer/invitemailer/cronofy/cronofytest"
	"github.com/invitemailer/invitemailer/mailer"
	"github.com/invitemailer/invitemailer/mailer/submission"
	"github.com/invitemailer/invitemailer/mailer/submission/submissiontest"
)

// services stands in for an account at Cronofy and an SMTP server. A program
// writes cronofy.New and submission.New with its own settings instead.
func services() (*cronofy.Client, *submission.Submitter, *submissiontest.Inbox) {
	api, err := cronofy.New(cronofy.Config{APIKey: "any",
		Transport: cronofytest.New(cronofytest.Options{}).Transport()})
	if err != nil {
		panic(err)
	}
	inbox := submissiontest.NewInbox(submissiontest.Options{})
	smtp, err := submission.New(submission.Config{Host: "localhost", TLS: submission.TLSNone, Dial: inbox.Dial})
	if err != nil {
		panic(err)
	}
	return api, smtp, inbox
}

func interview() mailer.Invite {
	start := time.Date(2087, 4, 29, 9, 30, 0, 0, time.UTC)
	return mailer.Invite{
		ID:        "interview-17",
		Recipient: mailer.Recipient{Email: "ann@example.org", Name: "Ann Lee"},
		Event: &cronofy.Event{
			Summary: "Interview with Acme", TZID: "Europe/London",
			Start: cronofy.EventTime{Time: start}, End: cronofy.EventTime{Time: start.Add(time.Hour)},
		},
	}
}

// A booking system sends one invitation and looks at the receipt.
func Example() {
	api, smtp, inbox := services()
	defer func() { _ = inbox.Close() }()
	defer func() { _ = smtp.Shutdown(context.Background()) }()
	m, err := mailer.New(mailer.Config{
		API: api, Submitter: smtp,
		Organizer: mailer.Organizer{Name: "Acme HR", Email: "hr@acme.example"},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = m.Shutdown(context.Background()) }()

	receipt, err := m.Send(context.Background(), interview())
	if err != nil {
		var why *mailer.Error
		if errors.As(err, &why) && why.Temporary {
			fmt.Println("try again later:", why)
			return
		}
		fmt.Println(err)
		return
	}
	fmt.Println(receipt.Outcome, receipt.Kind, *receipt.Sequence)
	fmt.Println(len(inbox.Messages()), "mail in the inbox of", inbox.Messages()[0].To[0])
	// Output:
	// sent invitation 0
	// 1 mail in the inbox of ann@example.org
}

// A web handler must not take the invite back when its caller hangs up: a mail
// whose content began to leave cannot be stopped, only become unknown.
func ExampleMailer_Send_handler() {
	api, smtp, inbox := services()
	defer func() { _ = inbox.Close() }()
	defer func() { _ = smtp.Shutdown(context.Background()) }()
	m, err := mailer.New(mailer.Config{API: api, Submitter: smtp, From: "Acme HR <hr@acme.example>"})
	if err != nil {
		fmt.Println(err)
		return
	}
	book := func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), time.Minute)
		defer cancel()
		receipt, err := m.Send(ctx, interview())
		if err != nil {
			http.Error(w, string(receipt.Outcome), http.StatusBadGateway)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	}
	_ = http.HandlerFunc(book)
	// Output:
}

// One event, several people: one Smart Invite, and a mail for each.
func ExampleMailer_SendGroup() {
	api, smtp, inbox := services()
	defer func() { _ = inbox.Close() }()
	defer func() { _ = smtp.Shutdown(context.Background()) }()
	m, err := mailer.New(mailer.Config{API: api, Submitter: smtp, From: "Acme HR <hr@acme.example>"})
	if err != nil {
		fmt.Println(err)
		return
	}
	receipts, err := m.SendGroup(context.Background(), mailer.Group{
		ID: "panel-3", Event: interview().Event,
		Recipients: []mailer.Recipient{{Email: "ann@example.org"}, {Email: "bob@example.org"}},
	})
	if err != nil {
		fmt.Println(err)
	}
	for _, r := range receipts {
		fmt.Println(r.Recipient, r.Outcome)
	}
	// Output:
	// ann@example.org sent
	// bob@example.org sent
}

// A nightly export: results come as they are known, and what failed for a while
// is tried again for two minutes.
func ExampleMailer_SendAll() {
	api, smtp, inbox := services()
	defer func() { _ = inbox.Close() }()
	defer func() { _ = smtp.Shutdown(context.Background()) }()
	m, err := mailer.New(mailer.Config{API: api, Submitter: smtp, From: "Acme HR <hr@acme.example>"})
	if err != nil {
		fmt.Println(err)
		return
	}
	invite := interview()
	items := slices.Values([]mailer.Item{{Invite: &invite}})
	options := mailer.RunOptions{Concurrency: 4, RetryFor: 2 * time.Minute}
	err = m.SendAll(context.Background(), items, options, func(r mailer.Result) {
		for _, receipt := range r.Receipts {
			fmt.Println(receipt.InviteID, receipt.Outcome)
		}
	})
	fmt.Println(err)
	// Output:
	// interview-17 sent
	// <nil>
}
