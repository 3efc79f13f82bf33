package main

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// lockedBuffer may be read while others write.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

// Write implements io.Writer.
func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

// String returns what was written so far.
func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// TestProgressInLog: a log hears of a run every minute, and nothing of one that is
// shorter.
func TestProgressInLog(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var log lockedBuffer
		p := startProgress(newScreen(&log), slog.New(slog.NewTextHandler(&log, nil)), nil)
		for range 240 {
			p.add()
		}
		time.Sleep(logEvery - time.Millisecond)
		synctest.Wait()
		assert.Empty(t, log.String())
		time.Sleep(time.Millisecond)
		synctest.Wait()
		assert.Contains(t, log.String(), "msg=progress done=240 per_second=4\n")
		p.stop()
		assert.Equal(t, 1, strings.Count(log.String(), "\n"))
	})
}

// TestProgressBar: a terminal has a bar, which is gone before anything else is
// written and at the end.
func TestProgressBar(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "invites.jsonl")
	require.NoError(t, os.WriteFile(file, []byte("{}\n{}\n{}\n{}\n"), 0o600))
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		s := &screen{w: &out, terminal: true}
		p := startProgress(s, slog.New(slog.DiscardHandler), []string{file})
		p.add()
		time.Sleep(drawEvery)
		synctest.Wait()
		assert.Contains(t, out.String(), "1 / 4")
		out.Reset()
		_, err := s.Write([]byte("a line\n"))
		require.NoError(t, err)
		assert.Equal(t, "\r\x1b[Ka line\n", out.String())
		p.stop()
		assert.Equal(t, "\r\x1b[Ka line\n", out.String(), "there is no bar left to wipe")
	})
}

// TestCountLines: the time left is shown only where the number of records can be
// known.
func TestCountLines(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name, text string) string {
		name = filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(name, []byte(text), 0o600))
		return name
	}
	two, three, array := write("2.jsonl", "{}\n{}\n"), write("3.csv", "a\nb\nc\n"), write("4.json", "[\n{}\n]\n")
	assert.Equal(t, 5, countLines([]string{two, three}))
	assert.Zero(t, countLines([]string{two, array}))
	assert.Zero(t, countLines([]string{"-"}))
	assert.Zero(t, countLines([]string{filepath.Join(dir, "missing.jsonl")}))
	assert.Zero(t, countLines(nil))
}
