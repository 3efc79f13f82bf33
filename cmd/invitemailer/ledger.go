package main

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/invitemailer/invitemailer/mailer/ledger/sqlite"
)

// ledgerSetting says where the ledger is.
type ledgerSetting struct {
	none   bool
	memory bool // for the sandbox
	path   string
	// application and keys say whose invites these are, as in sqlite.Options; same
	// that the keys are new ones of the same application, and judged that nothing
	// of that is recorded.
	application  string
	keys         sqlite.Secrets
	same, judged bool
	// patience is how long to wait for another process; 0 is the ledger's choice.
	patience time.Duration
}

// String is how the ledger is named to people.
func (l ledgerSetting) String() string {
	switch {
	case l.none:
		return "none"
	case l.memory:
		return "memory"
	}
	return l.path
}

func parseLedger(text string, p *problems) ledgerSetting {
	if text == "none" {
		return ledgerSetting{none: true}
	}
	if text == "" {
		dir, err := stateDir()
		if err != nil {
			p.add("INVITEMAILER_LEDGER", "is not set, and there is no place for it by default: %v; set it to sqlite:PATH or none, or set HOME", err)
		}
		return ledgerSetting{path: filepath.Join(dir, "invitemailer", "ledger.sqlite")}
	}
	path, ok := strings.CutPrefix(text, "sqlite:")
	if !ok || path == "" {
		p.add("INVITEMAILER_LEDGER", "%q is unknown; use sqlite:PATH or none", text)
	}
	return ledgerSetting{path: path}
}

// stateDir is where a user's programs keep what they must remember. Where there
// is no XDG base directory specification, it is the directory for settings.
func stateDir() (string, error) {
	switch runtime.GOOS {
	case "windows", "darwin", "ios", "plan9":
		return os.UserConfigDir()
	}
	if dir := os.Getenv("XDG_STATE_HOME"); filepath.IsAbs(dir) {
		return dir, nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", errors.New("HOME is not set")
	}
	return filepath.Join(home, ".local", "state"), nil
}

// open opens the ledger, if there is to be one. Who only reads does so where one
// is there, and makes none; nor does that make an application known.
func (l ledgerSetting) open(ctx context.Context, apiURL string, reads bool, logger *slog.Logger) (*sqlite.Ledger, error) {
	if l.memory {
		return sqlite.Open(ctx, sqlite.Options{Memory: true, Logger: logger})
	}
	if l.none {
		return nil, nil
	}
	if _, err := os.Stat(l.path); reads && errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	opened, err := sqlite.Open(ctx, sqlite.Options{
		Path: l.path, APIURL: apiURL, Logger: logger, BusyTimeout: l.patience,
		Application: l.application, APIKeys: l.keys, SameApplication: l.same, DryRun: reads || l.judged,
	})
	if err != nil {
		return nil, &ledgerTrouble{err}
	}
	return opened, nil
}

// ledgerTrouble is an error of a ledger that names settings as they are named here.
type ledgerTrouble struct{ error }

func (e *ledgerTrouble) Error() string { return forUsers(e.error.Error()) }

func (e *ledgerTrouble) Unwrap() error { return e.error }
