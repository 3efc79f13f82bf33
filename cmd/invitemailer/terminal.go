package main

import (
	"io"
	"os"
	"sync"

	"golang.org/x/term"
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
