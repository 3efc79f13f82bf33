package main

import (
	"bytes"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/assert"
)

// TestWithoutReceipts: what package mailer warns of is logged, except for the
// invites that the command itself tells of.
func TestWithoutReceipts(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	l := withoutReceipts(slog.New(slog.NewTextHandler(&log, nil)).With("a", 1)).With("b", 2).WithGroup("g")
	l.Warn("invite", "outcome", "failed")
	assert.Empty(t, log.String())
	l.Warn("the claim on an invite could not be given back", "c", 3)
	assert.Contains(t, log.String(), "a=1 b=2 g.c=3")
}
