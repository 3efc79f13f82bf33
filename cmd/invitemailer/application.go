package main

import (
	"fmt"
	"strconv"

	"github.com/invitemailer/invitemailer/mailer/ledger/sqlite"
)

// whose says whose invites a ledger would work on, and what a run would record of
// who comes with that name and a key.
func whose(a sqlite.Application, name string) string {
	if name == "" {
		name = a.Name
	}
	text := "without a name"
	if name != "" {
		text = strconv.Quote(name)
	}
	switch {
	case !a.Known:
		return text + ": new, with no invites in this ledger yet"
	case a.Keys == 0:
		return text + ": the first run makes the ledger that of this key"
	case a.KeyKnown:
		return text + ": the ledger knows this key"
	}
	return fmt.Sprintf("%s: this key is new, and the next run adds it to those that the ledger knows (%d)", text, a.Keys)
}
