package rsvp_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/invitemailer/invitemailer/cronofy"
	"github.com/invitemailer/invitemailer/mailer/ledger"
	"github.com/invitemailer/invitemailer/mailer/ledger/sqlite"
	"github.com/invitemailer/invitemailer/mailer/rsvp"
)

// A booking system frees the room when the candidate declines, and tells somebody
// when another time is proposed.
func ExampleNewHandler() {
	ctx := context.Background()
	record, err := sqlite.Open(ctx, sqlite.Options{Memory: true}) // the ledger that the invites are sent with
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = record.Shutdown(context.Background()) }()
	if err := sent(ctx, record, ledger.Key{InviteID: "interview-42", Address: "jo@example.com"}); err != nil {
		fmt.Println(err)
		return
	}

	const secret = "CRN_secret" // the application's client_secret
	handler, err := rsvp.NewHandler(rsvp.Config{
		Secrets: []string{secret},
		Store:   record,
		OnChange: func(_ context.Context, c rsvp.Change) error {
			fmt.Printf("%s: %s -> %s by %s: %q\n", c.InviteID, c.Before.Status, c.After.Status, c.By, c.After.Comment)
			switch p := c.After.Proposal; {
			case p != nil:
				fmt.Println("proposed:", p.Start.Format(time.RFC1123))
			case c.After.Status == "declined":
				fmt.Println("the room is free")
			}
			return nil // or an error, if the database is down: the change is offered again
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	http.NewServeMux().Handle("/cronofy/callback", handler)

	for _, body := range []string{
		`{"notification":{"type":"smart_invite"},"smart_invite":{"smart_invite_id":"interview-42",
			"recipient":{"email":"jo@example.com","status":"tentative","comment":"rather later",
				"proposal":{"start":{"time":"2027-04-29T15:00:00+02:00","tzid":"Europe/Paris"},
					"end":{"time":"2027-04-29T16:00:00+02:00","tzid":"Europe/Paris"}}}}}`,
		`{"notification":{"type":"smart_invite"},"smart_invite":{"smart_invite_id":"interview-42",
			"recipient":{"email":"jo@example.com","status":"declined","comment":"ill, sorry"},
			"reply":{"email":"jo@example.com","status":"declined","comment":"ill, sorry"}}}`,
	} {
		for range 2 { // as the API may
			request := httptest.NewRequestWithContext(ctx, http.MethodPost, "/cronofy/callback",
				strings.NewReader(body))
			request.Header.Set(cronofy.CallbackHeader, cronofy.SignCallback([]byte(body), secret))
			handler.ServeHTTP(httptest.NewRecorder(), request)
		}
	}
	// Output:
	// interview-42: pending -> tentative by jo@example.com: "rather later"
	// proposed: Thu, 29 Apr 2027 13:00:00 UTC
	// interview-42: tentative -> declined by jo@example.com: "ill, sorry"
	// the room is free
}

// sent records an invitation, as a mailer.Mailer does when it sends one.
func sent(ctx context.Context, record *sqlite.Ledger, key ledger.Key) error {
	claim, err := record.Claim(ctx, key)
	if err != nil {
		return err
	}
	if err := record.Create(ctx, claim, ledger.NewRevision{
		Key: key, Recipient: key.Address,
		Revision: ledger.Revision{Kind: "invitation", Method: "request", State: ledger.Sent,
			MessageID: "1@example.com"},
	}); err != nil {
		return err
	}
	return record.Release(ctx, claim)
}
