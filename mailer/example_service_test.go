package mailer_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/invitemailer/invitemailer/cronofy"
	"github.com/invitemailer/invitemailer/mailer"
	"github.com/invitemailer/invitemailer/mailer/ledger/sqlite"
	"github.com/invitemailer/invitemailer/mailer/submission"
)

// tenant is one customer of a service: an application at Cronofy, an organizer, and
// the invites of both in a ledger.
type tenant struct {
	name, key string // key is the application's client_secret
	organizer mailer.Organizer
}

// account is what a service keeps open for a tenant.
type account struct {
	mailer *mailer.Mailer
	ledger *sqlite.Ledger
}

// open makes the Mailer of a tenant. All tenants share one file and one Submitter.
func open(
	ctx context.Context, t tenant, file string, api *cronofy.Client, smtp *submission.Submitter,
) (*account, error) {
	record, err := sqlite.Open(ctx, sqlite.Options{
		Path: file, APIURL: api.BaseURL(),
		Application: t.name, APIKeys: sqlite.Secrets{t.key},
	})
	if err != nil {
		return nil, err
	}
	m, err := mailer.New(mailer.Config{
		API: api, Submitter: smtp, Ledger: record,
		Organizer:   t.organizer,
		FromDomains: []string{"acme.example"},
	})
	if err != nil {
		return nil, errors.Join(err, record.Shutdown(ctx))
	}
	return &account{mailer: m, ledger: record}, nil
}

// decide says what a service does about the end of one call of Send.
func decide(receipt mailer.Receipt, err error) string {
	var why *mailer.Error
	switch {
	case err == nil:
		return "done"
	case receipt.Again():
		return "make the same call again later"
	case errors.As(err, &why) && why.StopsRun:
		return "stop sending, and tell the operator to fix the settings"
	case receipt.Outcome == mailer.Unknown:
		return "ask the recipient whether the mail came"
	}
	return "show the error to the user, and wait for another invite" // invalid, expired, failed
}

// A service with several tenants sends, decides by the outcome, and shuts down.
func Example_service() {
	ctx := context.Background()
	api, smtp, inbox := services()
	defer func() { _ = inbox.Close() }()
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = os.RemoveAll(dir) }()

	acme := tenant{
		name: "acme", key: "any",
		organizer: mailer.Organizer{Name: "Acme HR", Email: "hr@acme.example"},
	}
	a, err := open(ctx, acme, filepath.Join(dir, "ledger.sqlite"), api, smtp)
	if err != nil {
		fmt.Println(err)
		return
	}
	late := interview()
	late.ID = "interview-1"
	late.Event.Start.Time, late.Event.End.Time = time.Unix(0, 0), time.Unix(3600, 0)
	for _, invite := range []mailer.Invite{interview(), interview(), late} {
		receipt, err := a.mailer.Send(ctx, invite)
		fmt.Println(receipt.Outcome, "->", decide(receipt, err))
	}

	// What is in hand has ten seconds to end.
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	err = errors.Join(a.mailer.Shutdown(ctx), smtp.Shutdown(ctx), a.ledger.Shutdown(ctx))
	fmt.Println("shut down:", err)
	// Output:
	// sent -> done
	// unchanged -> done
	// expired -> show the error to the user, and wait for another invite
	// shut down: <nil>
}
