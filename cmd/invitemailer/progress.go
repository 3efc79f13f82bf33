package main

import (
	"bytes"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"slices"
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

// progress tells how far a run is: on a terminal by a bar, elsewhere by a log line now and then.
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

// countLines counts the records of files with one on each line. It is 0 if that cannot be told.
func countLines(names []string) (total int) {
	for _, name := range names {
		oneEach := slices.Contains([]string{".jsonl", ".ndjson", ".csv"}, strings.ToLower(filepath.Ext(name)))
		// A pipe must not even be opened: that waits for a writer.
		if info, err := os.Stat(name); err != nil || !oneEach || !info.Mode().IsRegular() {
			return 0
		}
		text, err := os.ReadFile(name)
		if err != nil {
			return 0
		}
		total += bytes.Count(text, []byte("\n"))
	}
	return total
}
