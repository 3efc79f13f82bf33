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

// screen is standard error, and the last line of the terminal if there is one:
// what is written to it first wipes the progress bar away.
type screen struct {
	w        io.Writer
	terminal bool

	mu    sync.Mutex
	drawn bool
}

func newScreen(w io.Writer) *screen { return &screen{w: w, terminal: isTerminal(w)} }

// Write writes whole lines.
func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.wipe()
	return s.w.Write(p)
}

// draw puts text on the last line.
func (s *screen) draw(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.wipe()
	s.drawn = true
	_, _ = io.WriteString(s.w, text)
}

// around runs f, which writes to the same terminal by another way.
func (s *screen) around(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.wipe()
	f()
}

func (s *screen) clear() { s.around(func() {}) }

func (s *screen) wipe() {
	if s.drawn {
		_, _ = io.WriteString(s.w, "\r\x1b[K")
		s.drawn = false
	}
}

// logger writes to the screen in the form that the settings ask for.
func (c *configuration) logger(w io.Writer) *slog.Logger {
	o := &slog.HandlerOptions{Level: c.level}
	if c.json {
		return slog.New(slog.NewJSONHandler(safetext.JSONWriter(w), o))
	}
	return slog.New(slog.NewTextHandler(w, o))
}

// withoutReceipts is a logger for package mailer. It leaves out the warnings
// about single invites: this command says the same with file and line.
func withoutReceipts(l *slog.Logger) *slog.Logger { return slog.New(receiptFilter{l.Handler()}) }

type receiptFilter struct{ slog.Handler }

// Handle implements slog.Handler.
func (f receiptFilter) Handle(ctx context.Context, r slog.Record) error {
	if r.Message == "invite" {
		return nil
	}
	return f.Handler.Handle(ctx, r)
}

// WithAttrs implements slog.Handler.
func (f receiptFilter) WithAttrs(attrs []slog.Attr) slog.Handler {
	return receiptFilter{f.Handler.WithAttrs(attrs)}
}

// WithGroup implements slog.Handler.
func (f receiptFilter) WithGroup(name string) slog.Handler {
	return receiptFilter{f.Handler.WithGroup(name)}
}
