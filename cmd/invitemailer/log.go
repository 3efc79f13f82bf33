package main

import (
	"context"
	"io"
	"log/slog"

	"github.com/invitemailer/invitemailer/internal/safetext"
)

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
