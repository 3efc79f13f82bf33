package main

import (
	"context"
	"io"
	"log/slog"
	"os"
	"sync"

	"golang.org/x/term"

	"github.com/invitemailer/invitemailer/internal/safetext"
)

// isTerminal reports whether f is a terminal.
func isTerminal(f any) bool {
	if o, ok := f.(*output); ok {
		f = o.w
	}
	file, ok := f.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}

// screen is standard error. What is written to it first wipes the progress bar away.
type screen struct {
	w        io.Writer
	terminal bool

	mu    sync.Mutex
	drawn bool
}

func newScreen(w io.Writer) *screen { return &screen{w: w, terminal: isTerminal(w)} }

// Write writes whole lines.
func (s *screen) Write(p []byte) (n int, err error) {
	s.around(func() { n, err = s.w.Write(p) })
	return n, err
}

// draw puts text on the last line.
func (s *screen) draw(text string) {
	s.around(func() {
		s.drawn = true
		_, _ = io.WriteString(s.w, text)
	})
}

// around wipes the last line and runs f, which writes to the same terminal.
func (s *screen) around(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.drawn {
		_, _ = io.WriteString(s.w, "\r\x1b[K")
		s.drawn = false
	}
	f()
}

// logger writes to w in the form that the settings ask for.
func (c *configuration) logger(w io.Writer) *slog.Logger {
	o := &slog.HandlerOptions{Level: c.level}
	if c.json {
		return slog.New(slog.NewJSONHandler(safetext.JSONWriter(w), o))
	}
	return slog.New(slog.NewTextHandler(w, o))
}

// withoutReceipts leaves out the warnings about single invites: emit says the same with the line.
func withoutReceipts(l *slog.Logger) *slog.Logger { return slog.New(receiptFilter{l.Handler()}) }

type receiptFilter struct{ slog.Handler }

func (f receiptFilter) Handle(ctx context.Context, r slog.Record) error {
	if r.Message == "invite" {
		return nil
	}
	return f.Handler.Handle(ctx, r)
}

func (f receiptFilter) WithAttrs(attrs []slog.Attr) slog.Handler {
	return receiptFilter{f.Handler.WithAttrs(attrs)}
}

func (f receiptFilter) WithGroup(name string) slog.Handler {
	return receiptFilter{f.Handler.WithGroup(name)}
}
