package main

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"os"
	"strings"

	"github.com/invitemailer/invitemailer/internal/record"
	"github.com/invitemailer/invitemailer/internal/safetext"
	"github.com/invitemailer/invitemailer/mailer"
)

// batch is one run over an input: it hands the items to package mailer, and
// what became of them to people and programs.
type batch struct {
	inv    *invocation
	flags  *runFlags
	cfg    configuration
	log    *slog.Logger
	apiURL string
	outbox *outbox // nil unless in the sandbox

	out      *results
	tally    *tally
	progress *progress
	told     map[string]bool // the findings that were logged
	whole    bool            // what is unchanged is written too
	limited  bool            // --max-mails was reached
}

// mailsPerConnection: while one mail is on the wire, the ledger records the one
// before it or the one after.
const mailsPerConnection = 2

// source makes the items of a run once its ledger, which may be nil, is open.
type source func(ctx context.Context, l mailer.Ledger) (iter.Seq[mailer.Item], error)

// just is the source of items that no ledger has a say in.
func just(items iter.Seq[mailer.Item]) source {
	return func(context.Context, mailer.Ledger) (iter.Seq[mailer.Item], error) { return items, nil }
}

// deliver runs the items of a source through the pipeline as the flags say.
func (inv *invocation) deliver(ctx context.Context, flags *runFlags, from source) exitCode {
	s, err := load(inv.flags)
	if err != nil {
		return inv.fail(exitConfig, err.Error())
	}
	var p problems
	b := &batch{inv: inv, flags: flags, cfg: configure(s, flags.scope(), &p), tally: newTally(), told: make(map[string]bool)}
	b.log = b.cfg.logger(inv.screen)
	warnOfMisspelt(b.log)
	p.missed(os.Environ())
	flags.apply(&b.cfg.mail)
	b.cfg.smtp.Timeouts.Open = flags.connectWithin()
	b.cfg.ledger.patience, b.cfg.ledger.same = inv.Patience, flags.SameApplication
	b.cfg.mail.Logger = withoutReceipts(b.log)
	w := &wiring{cfg: &b.cfg, scope: flags.scope(), out: flags.Out, calendar: flags.calendar, dialSMTP: inv.DialSMTP, around: inv.Around, log: b.log}
	defer w.close()
	w.connect(&p)
	b.outbox, b.apiURL = w.outbox, w.apiURL
	if len(p.texts) > 0 {
		return inv.misconfigured(s, p.texts)
	}
	m, err := w.mailer(ctx)
	if err != nil {
		return inv.misconfiguredLedger(s, err)
	}
	items, err := from(ctx, b.cfg.mail.Ledger)
	var usage usageError
	switch {
	case errors.As(err, &usage):
		return inv.fail(exitUsage, usage.Error()+"; see invitemailer --help")
	case err != nil:
		return inv.misconfiguredLedger(s, err)
	}
	err = b.run(ctx, m, asRecorded(ctx, b.cfg.mail.Ledger, items))
	if b.outbox != nil {
		if closed := b.outbox.gallery.close(); closed != nil {
			b.log.Error("the preview page could not be written", "error", closed)
			err = errors.Join(err, closed)
		}
	}
	return b.finish(err)
}

// run streams the items through m.
func (b *batch) run(ctx context.Context, m *mailer.Mailer, items iter.Seq[mailer.Item]) error {
	terminal := isTerminal(b.inv.Stdout)
	around := func(f func()) { f() }
	if terminal {
		around = b.inv.screen.around
	}
	b.whole = terminal || b.flags.All
	b.out = newResults(b.inv.Stdout, terminal && !b.flags.JSON, around, b.inv.stop.stop)
	b.progress = startProgress(b.inv.screen, b.log, b.flags.Files)
	err := b.inv.finishing(func() error {
		return m.SendAll(ctx, items, mailer.RunOptions{
			Concurrency: b.flags.Concurrency, Mails: mailsPerConnection * b.cfg.smtp.Connections,
			MaxMails: int(b.flags.MaxMails), RetryFor: b.flags.RetryFor, Stop: b.inv.stop.c,
		}, b.emit)
	})
	b.progress.stop()
	if closed := b.out.close(); closed != nil {
		b.log.Error("the results could not be written: nobody reads them any more, or the disk is full; run again", "error", closed)
		err = errors.Join(err, closed)
	}
	return err
}

// emit tells of one result. SendAll calls it by one goroutine at a time.
func (b *batch) emit(r mailer.Result) {
	source, _ := r.Item.Tag.(record.Source)
	for i := range r.Receipts {
		receipt := &r.Receipts[i]
		l := newLine(source.File, source.Line, receipt)
		if b.outbox != nil {
			name, err := b.outbox.write(r.Item, receipt)
			if err != nil {
				b.log.Error("a message could not be written; fix that and run again", "error", err)
				b.inv.stop.stop()
			}
			l.EML = name
		}
		b.limited = b.limited || receipt.Error != nil && receipt.Error.Code == mailer.CodeMaxMails
		b.tally.add(receipt)
		if b.whole || !repeats(receipt) {
			b.tell(l)
			b.out.put(l)
		}
	}
	b.progress.add()
}

// tell logs what people should know of a result.
func (b *batch) tell(l *line) {
	place := l.place()
	for _, f := range l.Findings {
		if !b.told[f.Rule] {
			b.told[f.Rule] = true
			b.log.Warn(place+field(f.Field)+f.Message, "rule", f.Rule)
		}
	}
	if l.Error == nil {
		return
	}
	level := slog.LevelWarn
	switch {
	case l.Known, l.Error.Code == mailer.CodeNotBegun, l.Error.Code == mailer.CodeMaxMails, l.Error.StopsRun:
		level = slog.LevelDebug // told by an earlier run, or once, at the end
	case l.Outcome == mailer.Invalid || l.Outcome == mailer.Failed:
		level = slog.LevelError
	}
	attrs := []slog.Attr{slog.String("outcome", string(l.Outcome)), slog.String("stage", string(l.Error.Stage)), slog.String("code", string(l.Error.Code))}
	if l.InviteID != "" {
		attrs = append(attrs, slog.String("invite", safetext.Short(l.InviteID, maxShown)))
	}
	if at := strings.LastIndexByte(l.Recipient, '@'); at >= 0 {
		attrs = append(attrs, slog.String("recipient_domain", safetext.Short(l.Recipient[at+1:], maxShown)))
	}
	b.log.LogAttrs(context.Background(), level, place+field(l.Error.Field)+l.Error.Message, attrs...)
}

// place is where a record stands, as compilers write it.
func (l *line) place() string {
	switch {
	case l.File != "" && l.Line > 0:
		return fmt.Sprintf("%s:%d: ", l.File, l.Line)
	case l.File != "":
		return l.File + ": "
	}
	return ""
}

func field(name string) string {
	if name == "" {
		return ""
	}
	return name + ": "
}

// finish sums the run up and says how it ends.
func (b *batch) finish(err error) exitCode {
	code := b.tally.code(err)
	var stopped *mailer.Error
	switch {
	case errors.As(err, &stopped):
		b.log.Error("the run was stopped: "+b.why(stopped), "code", string(stopped.Code))
	case errors.Is(err, mailer.ErrStopped), errors.Is(err, errInterrupted):
		b.log.Warn("the run was stopped before its end")
	case b.limited:
		b.log.Warn(fmt.Sprintf("the run stopped at --max-mails %d", b.flags.MaxMails))
	}
	attrs := make([]slog.Attr, 0, 12)
	for _, o := range []mailer.Outcome{mailer.Sent, mailer.Unchanged, mailer.Valid, mailer.Invalid, mailer.Expired, mailer.Failed, mailer.Deferred, mailer.Unknown} {
		if n := b.tally.outcomes[o]; n > 0 {
			attrs = append(attrs, slog.Int(string(o), n))
		}
	}
	if b.tally.known > 0 {
		attrs = append(attrs, slog.Int("known", b.tally.known))
	}
	if b.outbox != nil {
		attrs = append(attrs, slog.String("mails_in", b.outbox.dir))
		if page := b.outbox.gallery.path(); page != "" {
			attrs = append(attrs, slog.String("page", page))
		}
	} else {
		attrs = append(attrs, slog.String("ledger", b.cfg.ledger.String()))
	}
	switch {
	case code != exitTempfail || b.outbox != nil:
	case b.cfg.ledger.none:
		attrs = append(attrs, slog.String("advice", "run again with the invites that were not sent: no ledger remembers the others"))
	default:
		attrs = append(attrs, slog.String("advice", "run again with the same input: what was sent is not sent again"))
	}
	level := slog.LevelInfo
	if code == exitOK && b.tally.news == 0 && !b.flags.All && !b.inv.screen.terminal {
		level = slog.LevelDebug // cron mails whatever is written, and there is nothing to tell
	}
	b.log.LogAttrs(context.Background(), level, "done", attrs...)
	return code
}

// why is what stopped a run.
func (b *batch) why(e *mailer.Error) string {
	switch e.Code {
	case mailer.CodeUnauthorized:
		return string(e.Stage) + ": " + keyRefused(b.apiURL)
	case mailer.CodeUnreachable:
		return string(e.Stage) + ": the host of " + b.apiURL + " does not exist: check CRONOFY_API_URL"
	}
	return forUsers(e.Error())
}

// keyRefused asks the question that the answer 401 raises. A key is good in one
// data center only.
func keyRefused(apiURL string) string {
	return "the API at " + apiURL + " did not accept the key (401): check the key; does this key belong to another data center?"
}
