package main

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// A command is a benchmark, or a test that tells something, run by go test.
type command struct {
	part        string
	pkg         string // its directory in the repository
	run         string // the arguments that choose it
	args, quick string // further ones; quick instead with --quick
	rounds      int    // how often it runs; of the results, the medians are told
}

var commands = []command{
	{"submission", "mailer/submission", "-run=^$ -bench=^BenchmarkSubmission$ -benchtime=300ms", "-every-way", "", 3},
	{"limits", "mailer", "-v -count=1 -run=^TestRateLimitsAreUsedToTheFull$", "", "", 1},
	{"overlap", "mailer", once("Overlap"), "-invites=1000 -rounds=3", "-invites=300", 1},
	{"cpu", "mailer", once("CPU"), "-invites=1000 -rounds=7", "-invites=300 -rounds=5", 1},
	{"growth", "mailer", once("Growth"), "-invites=1000 -growth=100 -rounds=3", "-invites=300 -growth=10 -rounds=3", 1},
	{"costs", "mailer", once("Stages"), "", "", 1},
	{"costs", "mailer/lint", once("Growth"), "", "", 1},
	{"costs", "cmd/invitemailer", once("Sandbox"), "", "", 1},
	{"second-run", "cmd/invitemailer", once("Batch"), "-invites=10000", "-invites=1000", 5},
	{"memory", "cmd/invitemailer", once("Memory"), "-invites=10000", "-invites=1000", 1},
}

// once chooses a benchmark that takes its rounds by itself.
func once(name string) string { return "-run=^$ -benchtime=1x -bench=^Benchmark" + name + "$" }

// partNames are the parts that can be asked for, each once.
func partNames() []string {
	var names []string
	for _, c := range commands {
		names = append(names, c.part)
	}
	return append(slices.Compact(names), drawing)
}

// name is what is told: by which benchmark, as directory.Name/sub=1, in which unit.
type name struct{ benchmark, unit string }

// samples are what the rounds told, in the order in which it came first.
type samples struct {
	names  []name
	values map[name][]float64
}

func (s *samples) add(n name, value float64) {
	if s.values == nil {
		s.values = make(map[name][]float64)
	}
	if s.values[n] == nil {
		s.names = append(s.names, n)
	}
	s.values[n] = append(s.values[n], value)
}

// measure runs the commands of a part, or all for none.
func measure(part string, quick bool, log io.Writer) (samples, error) {
	var s samples
	for _, c := range commands {
		if part != "" && part != c.part {
			continue
		}
		more := c.args
		if quick {
			more = c.quick
		}
		args := []string{"test", "-C", "../..", "-timeout=0", "./" + c.pkg}
		args = append(args, strings.Fields(c.run+" "+more)...)
		for round := range c.rounds {
			fmt.Fprintf(log, "%s, round %d of %d: go %s\n", c.part, round+1, c.rounds, strings.Join(args, " "))
			run := exec.Command("go", args...) //nolint:noctx,gosec // a signal from the terminal reaches it as well; the arguments are above
			run.Stderr = os.Stderr
			out, err := run.Output()
			if err != nil {
				return samples{}, fmt.Errorf("%s: %w\n%s", run, err, out)
			}
			if s.parse(c.pkg, string(out)) == 0 {
				return samples{}, fmt.Errorf("%s tells nothing:\n%s", run, out)
			}
		}
	}
	return s, nil
}

var (
	// See https://go.googlesource.com/proposal/+/master/design/14313-benchmark-format.md.
	benchmarkLine = regexp.MustCompile(`^Benchmark(\S+?)(?:-\d+)?\s+\d+\s+(.+)$`)
	// An attribute of a test, see [testing.T.Attr].
	attributeLine = regexp.MustCompile(`^=== ATTR\s+Test(\S+) (\S+) (\S+)$`)
)

// parse adds what go test printed about a package, and returns how many values.
func (s *samples) parse(pkg, text string) (found int) {
	add := func(benchmark, unit, value string) {
		if v, err := strconv.ParseFloat(value, 64); err == nil {
			s.add(name{pkg + "." + benchmark, unit}, v)
			found++
		}
	}
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if m := attributeLine.FindStringSubmatch(line); m != nil {
			add(m[1], m[2], m[3])
		} else if m := benchmarkLine.FindStringSubmatch(line); m != nil {
			for pair := range slices.Chunk(strings.Fields(m[2]), 2) {
				if len(pair) == 2 && !slices.Contains(builtIn, pair[1]) {
					add(m[1], pair[1], pair[0])
				}
			}
		}
	}
	return found
}

// builtIn are units that every benchmark has and nothing is made of.
var builtIn = []string{"ns/op", "B/op", "allocs/op"}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[len(sorted)/2]
}
