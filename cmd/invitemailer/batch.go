package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"github.com/invitemailer/invitemailer/internal/record"
	"github.com/invitemailer/invitemailer/internal/safetext"
	"github.com/invitemailer/invitemailer/mailer"
)

// batch is one run over an input: through package mailer, to people and programs.
type batch struct {
	*setup
	flags *runFlags

	out      *results
	tally    *tally
	progress *progress
	logged   map[string]bool // the rules of the findings that were
	limited  bool            // --max-mails was reached
}

// mailsPerConnection: while one mail is on the wire, the ledger records another.
const mailsPerConnection = 2

// deliver runs the items of a source through the pipeline as the flags say.
func (inv *invocation) deliver(ctx context.Context, flags *runFlags, from source) exitCode {
	b := &batch{setup: inv.setup(flags.scope()), flags: flags, tally: newTally(), logged: make(map[string]bool)}
	defer b.close()
	warnOfMisspelt(b.log)
	b.checkGuards(os.Environ())
	flags.apply(b.cfg)
	b.cfg.mail.Logger = withoutReceipts(b.log)
	b.connect(flags)
	if len(b.texts) > 0 {
		return b.misconfigured()
	}
	m, err := b.mailer(ctx)
	if err != nil {
		return b.unusableLedger(err)
	}
	items, err := from(ctx, b.cfg.mail.Ledger)
	var usage usageError
	switch {
	case errors.As(err, &usage):
		return inv.usage(usage)
	case err != nil:
		return b.unusableLedger(err)
	}
	err = b.send(ctx, m, withRecordedIDs(ctx, b.cfg.mail.Ledger, items))
	if unwritten := b.out.failed(); unwritten != nil {
		b.log.Error(unwrittenText+"; run again", "error", unwritten)
		err = errors.Join(err, unwritten)
	}
	if b.outbox != nil {
		if closed := b.outbox.close(); closed != nil {
			b.log.Error("the preview page could not be written", "error", closed)
			err = errors.Join(err, closed)
		}
	}
	return b.finish(err)
}

// send streams the items through m.
func (b *batch) send(ctx context.Context, m *mailer.Mailer, items iter.Seq[mailer.Item]) error {
	b.out = b.inv.results(b.flags.JSON)
	b.progress = startProgress(b.inv.screen, b.log, b.flags.Files)
	defer b.progress.stop()
	return b.inv.finishing(func() error {
		return m.SendAll(ctx, items, mailer.RunOptions{
			Concurrency: b.flags.Concurrency, Mails: mailsPerConnection * b.cfg.smtp.Connections,
			MaxMails: int(b.flags.MaxMails), RetryFor: b.flags.RetryFor, Stop: b.inv.stop.Done(),
		}, b.emit)
	})
}

// emit writes one result. SendAll calls it by one goroutine at a time.
func (b *batch) emit(r mailer.Result) {
	source, _ := r.Item.Tag.(record.Source)
	for i := range r.Receipts {
		receipt := &r.Receipts[i]
		l := newLine(source.File, source.Line, receipt)
		if b.outbox != nil {
			name, err := b.outbox.write(r.Item, receipt)
			if err != nil {
				b.log.Error("a message could not be written; fix that and run again", "error", err)
				b.inv.halt()
			}
			l.EML = name
		}
		b.limited = b.limited || receipt.Error != nil && receipt.Error.Code == mailer.CodeMaxMails
		b.tally.add(receipt)
		if b.out.terminal || b.flags.All || !repeats(receipt) {
			b.logResult(l)
			b.out.write(l)
		}
	}
	b.progress.add()
}

// logResult logs what people should know of a result.
func (b *batch) logResult(l *line) {
	place := l.place()
	for _, f := range l.Findings {
		if !b.logged[f.Rule] {
			b.logged[f.Rule] = true
			b.log.Warn(place+prefix(f.Field)+f.Message, "rule", f.Rule)
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
	attrs := []any{"outcome", l.Outcome, "stage", l.Error.Stage, "code", l.Error.Code}
	if l.InviteID != "" {
		attrs = append(attrs, "invite", safetext.Short(l.InviteID, maxShown))
	}
	if at := strings.LastIndexByte(l.Recipient, '@'); at >= 0 {
		attrs = append(attrs, "recipient_domain", safetext.Short(l.Recipient[at+1:], maxShown))
	}
	b.log.Log(context.Background(), level, place+prefix(l.Error.Field)+l.Error.Message, attrs...)
}

// place is where a record stands, as compilers write it.
func (l *line) place() string {
	if l.File != "" && l.Line > 0 {
		return prefix(fmt.Sprintf("%s:%d", l.File, l.Line))
	}
	return prefix(l.File)
}

// prefix puts a name before a text, unless it is empty.
func prefix(name string) string {
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
		b.log.Error("the run was stopped: "+b.why(stopped), "code", stopped.Code)
	case errors.Is(err, mailer.ErrStopped), errors.Is(err, errInterrupted):
		b.log.Warn("the run was stopped before its end")
	case b.limited:
		b.log.Warn(fmt.Sprintf("the run stopped at --max-mails %d", b.flags.MaxMails))
	}
	var attrs []any
	for _, o := range []mailer.Outcome{
		mailer.Sent, mailer.Unchanged, mailer.Valid, mailer.Invalid,
		mailer.Expired, mailer.Failed, mailer.Deferred, mailer.Unknown,
	} {
		if n := b.tally.outcomes[o]; n > 0 {
			attrs = append(attrs, string(o), n)
		}
	}
	if b.tally.known > 0 {
		attrs = append(attrs, "known", b.tally.known)
	}
	if b.outbox != nil {
		attrs = append(attrs, "mails_in", b.outbox.dir)
		if b.outbox.page != nil {
			attrs = append(attrs, "page", filepath.Join(b.outbox.dir, pageName))
		}
	} else {
		attrs = append(attrs, "ledger", cmp.Or(b.cfg.ledger.Path, "none"))
	}
	switch {
	case code != exitTempfail || b.outbox != nil:
	case b.cfg.noLedger:
		attrs = append(attrs, "advice", "run again with the invites that were not sent: no ledger remembers the others")
	default:
		attrs = append(attrs, "advice", "run again with the same input: what was sent is not sent again")
	}
	news := code != exitOK || b.tally.news > 0 || b.flags.All
	b.log.Log(context.Background(), b.inv.summaryLevel(news), "done", attrs...)
	return code
}

// summaryLevel hides a summary without news off a terminal: cron mails all that is written.
func (inv *invocation) summaryLevel(news bool) slog.Level {
	if news || inv.screen.terminal {
		return slog.LevelInfo
	}
	return slog.LevelDebug
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

// keyRefused asks the question that the answer 401 raises. A key is good in one data center only.
func keyRefused(apiURL string) string {
	return "the API at " + apiURL + " did not accept the key (401): check the key; does this key belong to another data center?"
}
