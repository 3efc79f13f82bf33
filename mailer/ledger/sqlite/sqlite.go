// Package sqlite keeps the ledger of a mailer in one SQLite file, or in memory.
//
// # The file
//
// It is created with mode 0600, as it holds people's addresses; beside it, while it is open, stand
// its write-ahead log and an index of that ("-wal", "-shm"). It belongs on a local disk: SQLite
// cannot lock reliably over a network. Copy it with `sqlite3 FILE ".backup COPY"`. Processes that
// use one file wait for each other's writes, for [Options.BusyTimeout] at most; reading waits for
// none.
//
// A file belongs to one API, and in it each invite to one of its applications: a Ledger is opened
// for one ([Options.Application], [Options.APIKeys]), and sees nothing of the others. A file that
// is no ledger, is read-only or belongs to another API or application is refused with
// [ledger.ErrUnusable].
//
// # Upgrades
//
// A file of an older version is brought to the newest one when it is opened, whole or not at all.
// Before, if it holds invites, it is copied to FILE.vN.bak, N being its version, with mode 0600.
// To go back to the program of before, put the copy in the place of the file while no program has
// that open; what was recorded since is lost. Delete the copy when the upgrade has proved itself:
// it holds people's addresses.
//
// The file says which version a program must know at least to use it. A newer file is refused only
// if that is newer than the program, so that two releases can use one file side by side.
//
// # Durability
//
// What a method has written when it returns outlives its process. What says that a mail may leave,
// how that ended, and what a recipient answered is synced to the disk besides, with all that came
// before it, and outlives a power cut. What such a cut can undo is the last claims and calendars:
// the next run asks the API again, and no mail had left.
//
// Writes that wait at the same time share a transaction, and a sync. One that is refused or breaks
// fails alone; if the disk or the lock fails, all of them fail, and nothing of any is kept. A
// context that ends while its write waits leaves nothing written. One that ends later changes
// nothing, and the method returns how the write ended.
//
// # Claims
//
// A claim runs out 20 seconds after its last heartbeat. While a Ledger holds claims it renews all
// of them every 5 seconds, so that those of a process that died are free within half a minute. A
// claim that ran out but that no other owner took is still good. Owners on one file must agree on
// the time to within a few seconds, which they do on one machine.
//
// If the clock is set back, the claims that were made before end far from now. The first who asks
// for one shortens them to 20 seconds, within which an owner that lives renews them.
//
// # Privacy
//
// [Ledger.Forget] removes what is past from the file and its log, byte for byte, and not from the
// copy that an upgrade made.
package sqlite

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/invitemailer/invitemailer/internal/migrate"
)

// Options say which ledger to open, and how.
type Options struct {
	// Path of the file; parent directories that are missing are created (0700).
	Path string
	// Memory keeps everything in memory, for this Ledger alone; Path is ignored.
	Memory bool
	// APIURL is the API that the record belongs to. The file remembers it, and is refused for
	// another one, so that production does not take for done what staging did. Empty: any.
	APIURL string
	// Application names whose invites these are, where one file has those of
	// several applications of the API: no method sees those of another. Empty: the
	// one that has one of APIKeys, or without any the only one there is.
	//
	// The first name and keys that a ledger meets are those of the application it has from its
	// beginning. Later, a new name is another application, and a new key without a name is refused.
	Application string
	// APIKeys are the application's keys that are in use, of which there are two while one is being
	// replaced. A salted hash of each is kept: one that is known makes the others known.
	APIKeys Secrets
	// SameApplication takes APIKeys, none of which is known, for new ones of the
	// application that is named or the only one; and with a key that is known it
	// gives that one's application the name in Application.
	SameApplication bool
	// DryRun records nothing of Application and APIKeys, but judges them. A new application
	// has no invites then, and nothing can be written for it.
	DryRun bool
	// Now is the clock; nil means time.Now.
	Now func() time.Time
	// BusyTimeout is how long to wait for another process; 0 means 10 seconds.
	BusyTimeout time.Duration
	// Logger is told of an upgrade and when a heartbeat fails; nil means silence.
	Logger *slog.Logger
}

// readers is how many goroutines can read at the same time; more of them wait, for some
// microseconds.
const readers = 2

// Ledger is a mailer.Ledger. It is safe for concurrent use.
type Ledger struct {
	name    string // of the file, for errors
	dsn     string // by which the driver opens it
	memory  bool
	api     string
	owner   string
	timeout time.Duration
	now     func() time.Time
	log     *slog.Logger
	salt    []byte
	// application is the row of whose invites this is, 0 for one that has none.
	application int64
	belongs     Application

	writer  *writer
	readers *statements // nil in memory: the writer reads
	reading *sql.DB

	group    group
	synced   bool // the next transaction of the writer is, as it ends
	unsynced bool // none is, for tests: there is no disk
	// The goroutine that renews claims; it begins with the first of them.
	startBeating func()
	stopBeating  context.CancelFunc
	beats        sync.WaitGroup
	calls        calls
}

// Open opens a ledger, and creates or migrates it where needed. The errors wrap
// [ledger.ErrUnusable] or [ledger.ErrBusy] where they are of that sort.
func Open(ctx context.Context, o Options) (*Ledger, error) {
	changes, err := migrations()
	if err != nil {
		return nil, err
	}
	return open(ctx, o, changes, "rw")
}

func open(ctx context.Context, o Options, changes migrate.Changes, mode string) (*Ledger, error) {
	l := &Ledger{
		name: o.Path, memory: o.Memory, unsynced: o.Memory, api: strings.TrimRight(o.APIURL, "/"),
		owner: rand.Text(), timeout: o.BusyTimeout, now: o.Now, log: o.Logger,
		calls: calls{ended: make(chan struct{})},
	}
	if l.timeout == 0 {
		l.timeout = 10 * time.Second
	}
	if l.now == nil {
		l.now = time.Now
	}
	if l.log == nil {
		l.log = slog.New(slog.DiscardHandler)
	}
	beating, stop := context.WithCancel(context.Background())
	l.stopBeating = stop
	l.startBeating = sync.OnceFunc(func() { l.beats.Go(func() { l.beatUntil(beating) }) })
	var err error
	if l.memory {
		l.name, l.dsn = "in memory", ":memory:?_pragma=foreign_keys(1)"
	} else if l.dsn, err = l.file(mode); err != nil {
		return nil, err
	}
	if l.writer, err = openWriter(ctx, l.dsn); err != nil {
		return nil, l.explain("opening it", err)
	}
	if !l.memory {
		l.reading, err = openDB(l.dsn+"&_pragma=query_only(1)", readers)
		l.readers = &statements{on: l.reading}
	}
	if err == nil {
		err = l.writer.with(ctx, func(c *conn) error { return l.prepareFile(ctx, c.within(ctx), changes, &o) })
	}
	if err != nil {
		return nil, errors.Join(l.explain("opening it", err), l.close())
	}
	return l, nil
}

// file makes sure that there is one and returns the name under which the driver
// opens it (https://www.sqlite.org/uri.html).
func (l *Ledger) file(mode string) (dsn string, err error) {
	if l.name == "" {
		return "", l.unusable("%w", &ConfigError{"Path", "no file is named"})
	}
	path, err := filepath.Abs(l.name)
	if err != nil {
		return "", l.unusable("its path cannot be made absolute: %w", err)
	}
	l.name = path
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return "", l.unusable("its directory cannot be created: %w", err)
	}
	if err := createFile(path); err != nil {
		return "", l.unusable("it cannot be created: %w", err)
	}
	l.warnOfMode(path)
	query := url.Values{
		"mode": {mode},
		"_pragma": { // none that reads the file: it would wait for others without a context
			fmt.Sprintf("busy_timeout(%d)", max(1, l.timeout.Milliseconds())),
			"foreign_keys(1)",
		},
	}
	uriPath := filepath.ToSlash(path)
	if !strings.HasPrefix(uriPath, "/") { // C:/...
		uriPath = "/" + uriPath
	}
	return (&url.URL{Scheme: "file", Path: uriPath, RawQuery: query.Encode()}).String(), nil
}

// createFile creates a file that only its owner may read, as SQLite would not;
// its log is given the same mode. A file that is there is not touched: to open
// and close it would take away the locks that this process has on it
// (https://www.sqlite.org/howtocorrupt.html#_posix_advisory_locks_canceled_by_a_separate_thread_doing_close_).
func createFile(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600) //nolint:gosec // the path is the user's own
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return f.Close()
}

// warnOfMode tells that every user of this machine may read or write a file that
// was there before. An operator who lets a group do so may have a reason.
func (l *Ledger) warnOfMode(path string) {
	const others = 0o007
	info, err := os.Stat(path)
	if runtime.GOOS == "windows" || err != nil || info.Mode().Perm()&others == 0 {
		return // no such permissions here, or the file cannot be used and opening it says why
	}
	l.log.Warn("others on this machine may read the ledger, and people's addresses in it: chmod 600 the file",
		"ledger", path, "mode", info.Mode().Perm().String())
}

// read lets fn ask the connections for reading.
func (l *Ledger) read(ctx context.Context, doing string, fn func(*conn) error) error {
	if err := l.calls.begin(); err != nil {
		return l.explain(doing, err)
	}
	defer l.calls.end()
	return l.explain(doing, l.ask(ctx, fn))
}

func (l *Ledger) ask(ctx context.Context, fn func(*conn) error) error {
	if l.readers == nil {
		return l.writer.with(ctx, fn)
	}
	return fn(&conn{ctx, l.readers})
}
