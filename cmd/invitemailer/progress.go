package main

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cheggaaa/pb/v3"
)

const (
	drawEvery = 200 * time.Millisecond // the bar on a terminal
	logEvery  = time.Minute            // the line in a log
	minWidth  = 40                     // columns
)

// progress tells people how far a run is: on a terminal by a bar, elsewhere by
// a log line now and then.
type progress struct {
	screen *screen
	log    *slog.Logger
	total  int // 0 if that is not known
	begun  time.Time
	count  atomic.Int64
	done   chan struct{}
	ended  sync.WaitGroup
}

func startProgress(s *screen, l *slog.Logger, files []string) *progress {
	p := &progress{screen: s, log: l, begun: time.Now(), done: make(chan struct{})}
	show, every := p.tell, logEvery
	if s.terminal {
		p.total = countLines(files)
		show, every = p.bar(), drawEvery
	}
	p.ended.Go(func() {
		ticker := time.NewTicker(every)
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C:
				show()
			case <-p.done:
				return
			}
		}
	})
	return p
}

// add counts one record.
func (p *progress) add() { p.count.Add(1) }

// stop takes the bar away.
func (p *progress) stop() {
	close(p.done)
	p.ended.Wait()
	p.screen.around(func() {}) // which wipes the bar away
}

func (p *progress) tell() {
	n := p.count.Load()
	rate := float64(n) / time.Since(p.begun).Seconds()
	p.log.Info("progress", "done", n, "per_second", math.Round(rate*10)/10)
}

// bar returns a function that draws the bar.
func (p *progress) bar() func() {
	bar := pb.New(p.total)
	bar.Set(pb.Static, true)
	bar.SetTemplateString(`{{counters . }} {{speed . "%s invites/s"}} {{etime . }}`)
	if p.total > 0 {
		bar.SetTemplateString(`{{counters . }} {{bar . }} {{percent . }} {{speed . "%s invites/s"}} ` +
			`{{rtime . "%s left"}}`)
	}
	if bar.Width() < minWidth {
		bar.SetWidth(minWidth) // a terminal that does not know its width
	}
	bar.Start()
	return func() {
		bar.SetCurrent(p.count.Load())
		p.screen.draw(bar.String())
	}
}

// countLines counts the records of files that have one on each line. It is 0 if
// that cannot be told beforehand.
func countLines(names []string) int {
	total := 0
	for _, name := range names {
		switch strings.ToLower(filepath.Ext(name)) {
		case ".jsonl", ".ndjson", ".csv":
		default:
			return 0
		}
		n, err := linesOf(name)
		if err != nil {
			return 0
		}
		total += n
	}
	return total
}

func linesOf(name string) (int, error) {
	// A pipe must not even be opened: that waits for a writer.
	if info, err := os.Stat(name); err != nil || !info.Mode().IsRegular() {
		return 0, errors.New("it can be read only once")
	}
	f, err := os.Open(name)
	if err != nil {
		return 0, err
	}
	defer func() { _ = f.Close() }() // it was only read
	var lines lineEnds
	_, err = io.Copy(&lines, f)
	return int(lines), err
}

// lineEnds counts the line ends that are written to it.
type lineEnds int

// Write implements io.Writer.
func (c *lineEnds) Write(p []byte) (int, error) {
	*c += lineEnds(bytes.Count(p, []byte("\n")))
	return len(p), nil
}
