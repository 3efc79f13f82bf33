package sqlite

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"unicode"
)

// Application says whose invites a [Ledger] works on.
type Application struct {
	Name string // empty: it goes by its keys
	Keys int    // how many keys are on record as its
	// Known: it is on record. One that is not was opened with Options.DryRun and has no invites.
	Known bool
	// KeyKnown: one of Options.APIKeys is on record as its.
	KeyKnown bool
}

// Application says whose invites the ledger works on, as it was once it was open.
func (l *Ledger) Application() Application { return l.belongs }

// Secrets are API keys. However they are printed, logged or encoded, they show
// only how many they are.
type Secrets []string

// Format implements fmt.Formatter, for all verbs.
func (s Secrets) Format(f fmt.State, _ rune) { _, _ = fmt.Fprintf(f, "[%d secrets]", len(s)) }

// MarshalText implements encoding.TextMarshaler, as package slog and encoding/json ask for it.
func (s Secrets) MarshalText() ([]byte, error) { return fmt.Appendf(nil, "%v", s), nil }

// maxName is the length that a name may have, in bytes.
const maxName = 200

var (
	listApplications = `
		SELECT a.id, a.name, count(k.hash) FROM application AS a LEFT JOIN application_key AS k ON k.application = a.id
		GROUP BY a.id ORDER BY a.id`
	keyOwner        = `SELECT application FROM application_key WHERE hash = ?`
	putApplication  = `INSERT INTO application (name) VALUES (?) RETURNING id`
	nameApplication = `UPDATE application SET name = ? WHERE id = ?`
	putKey          = `INSERT OR IGNORE INTO application_key (hash, application) VALUES (?, ?)`
)

// enrolled is an application on record.
type enrolled struct {
	id    int64
	name  string
	keys  int // on record
	given int // how many of these were given
}

// applicant is who opens the ledger, by what the options say.
type applicant struct {
	name string
	keys [][]byte // their hashes
	same bool
}

// choose finds the application of the applicant, or says why it is none. Its id is 0 if it is a
// new one.
//
// The name decides, and without one the key. What is neither named nor known is never taken for a
// new application, nor for the one there is: the first would invite every recipient anew once a
// key was replaced, and the second would take another application's invites for sent. For the same
// reason there is no second application as long as the first has no name.
func choose(all []enrolled, who applicant) (enrolled, error) {
	var byName, byKey *enrolled
	for i := range all {
		a := &all[i]
		if who.name != "" && a.name == who.name {
			byName = a
		}
		if a.given > 0 {
			if byKey != nil {
				return enrolled{}, fmt.Errorf("the keys belong to two of its applications, %s and %s: "+
					"give those of one in Options.APIKeys", byKey, a)
			}
			byKey = a
		}
	}
	only := &enrolled{}
	if len(all) == 1 {
		only = &all[0]
	}
	nameless := only.id != 0 && only.name == ""
	switch {
	case byName != nil && byKey != nil && byName != byKey:
		return enrolled{}, fmt.Errorf("this key is on record for %s, and Options.Application says %q: correct either",
			byKey, who.name)
	case byName != nil:
		return *byName, nil
	case byKey != nil && byKey.name != "" && who.name != "" && !who.same:
		return enrolled{}, fmt.Errorf("this key is on record for %s, and Options.Application says %q: "+
			"correct it, or set Options.SameApplication once to give the application that name", byKey, who.name)
	case byKey != nil:
		return *byKey, nil
	case nameless && only.keys == 0: // none has come yet
		return *only, nil
	case who.name == "" && len(who.keys) == 0 && only.id != 0:
		return *only, nil
	case who.name == "" && len(who.keys) == 0:
		return enrolled{}, fmt.Errorf("it holds the invites of several applications (%s): "+
			"say of which one in Options.Application", names(all))
	case who.same && len(who.keys) > 0 && (nameless || who.name == "" && only.id != 0):
		return *only, nil
	case who.same:
		return enrolled{}, fmt.Errorf("it has no application of this name and does not know this key, "+
			"so that it is not clear which one is the same (%s): name it as it is on record in Options.Application",
			names(all))
	case who.name == "":
		return enrolled{}, fmt.Errorf("this key is not on record for %s: another application, or a rotated key: "+
			"set Options.SameApplication once if it is a new key of the same one; if it is another application, "+
			"name each of them in Options.Application, and run the one on record first", names(all))
	case nameless:
		return enrolled{}, fmt.Errorf(
			"its application has no name yet, and is not known to be %q: another application, "+
				"or a rotated key: set Options.SameApplication once if it is a new key of the same one; "+
				"if it is another application, run once for the one on record, with its key and a name of its own in "+
				"Options.Application",
			who.name,
		)
	}
	return enrolled{}, nil
}

// String is how an application is named to people.
func (a *enrolled) String() string {
	if a.name == "" {
		return "the application without a name"
	}
	return fmt.Sprintf("application %q", a.name)
}

func names(all []enrolled) string {
	list := make([]string, len(all))
	for i := range all {
		list[i] = all[i].String()
	}
	return strings.Join(list, ", ")
}

// belong finds out whose invites this ledger is to work on, and records who that
// is where it was not known. It writes nothing if it was, or with Options.DryRun.
func (l *Ledger) belong(ctx context.Context, c *conn, o *Options) error {
	who := applicant{name: o.Application, same: o.SameApplication}
	if who.name != strings.TrimSpace(who.name) || len(who.name) > maxName ||
		strings.ContainsFunc(who.name, unicode.IsControl) {
		problem := fmt.Sprintf("%.60q has blanks around it, control characters, or more than %d bytes: "+
			"choose a plain name", who.name, maxName)
		return l.unusable("%w", &ConfigError{"Application", problem})
	}
	for _, key := range o.APIKeys {
		if key == "" {
			return l.unusable("%w", &ConfigError{"APIKeys", "one of them is empty: leave it out"})
		}
		who.keys = append(who.keys, l.keyHash(key))
	}
	a, news, err := l.judge(c, who)
	begins := false
	if err == nil && news && !o.DryRun {
		err = transact(ctx, c, func() error {
			if a, _, err = l.judge(c, who); err != nil { // another process may have been faster
				return err
			}
			begins = a.id == 0
			if err := a.enrol(c, who); err != nil {
				return err
			}
			a, _, err = l.judge(c, who)
			return err
		})
	}
	if err != nil {
		return l.explain("reading what it belongs to", err)
	}
	if begins {
		l.log.LogAttrs(ctx, slog.LevelInfo, "the ledger has one more application, which begins without any invites",
			slog.String("application", a.name), slog.String("ledger", l.name))
	}
	l.application = a.id
	l.belongs = Application{Name: a.name, Keys: a.keys, Known: a.id != 0, KeyKnown: a.given > 0}
	return nil
}

// judge is choose on what is on record, and tells whether there is anything to be added to that.
func (l *Ledger) judge(c *conn, who applicant) (a enrolled, news bool, err error) {
	var all []enrolled
	if err := c.query(listApplications, func(rows *sql.Rows) error {
		var a enrolled
		err := rows.Scan(&a.id, &a.name, &a.keys)
		all = append(all, a)
		return err
	}); err != nil {
		return enrolled{}, false, err
	}
	for _, hash := range who.keys {
		var owner int64
		if _, err := c.get([]any{&owner}, keyOwner, hash); err != nil {
			return enrolled{}, false, err
		}
		for i := range all {
			if all[i].id == owner {
				all[i].given++
			}
		}
	}
	if a, err = choose(all, who); err != nil {
		return enrolled{}, false, l.unusable("%w", err)
	}
	return a, a.id == 0 || who.name != "" && a.name != who.name || a.given < len(who.keys), nil
}

// enrol records what of the applicant is new.
func (a *enrolled) enrol(c *conn, who applicant) (err error) {
	if a.id == 0 {
		_, err = c.get([]any{&a.id}, putApplication, who.name)
	} else if who.name != "" {
		err = c.exec(nameApplication, who.name, a.id)
	}
	for _, hash := range who.keys {
		if err == nil {
			err = c.exec(putKey, hash, a.id)
		}
	}
	return err
}

// keyHash is what is kept of an API key. The text in front keeps it apart from the hash of an
// invite that was forgotten.
func (l *Ledger) keyHash(key string) []byte {
	sum := sha256.Sum256(slices.Concat(l.salt, []byte("API key\x00"+key)))
	return sum[:]
}
