package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// benchmarks builds and runs the test binaries of the project.
type benchmarks struct {
	root    string
	scratch string
	log     io.Writer
}

// benchmark is one line that a benchmark printed: its values by their units.
type benchmark struct {
	name   string // without "Benchmark" and without the number of processors
	values map[string]float64
}

// run runs the test binary of the package in a directory, which is built the
// first time, with arguments such as bench=REGEXP, and returns what it printed.
func (b benchmarks) run(ctx context.Context, dir string, environment []string, args ...string) (string, error) {
	binary := filepath.Join(b.scratch, strings.ReplaceAll(dir, "/", "-")+".test")
	if _, err := os.Stat(binary); err != nil {
		build := exec.CommandContext(ctx, "go", "test", "-c", "-o", binary, "./"+dir)
		build.Dir = b.root
		build.Env = append(os.Environ(), "GOWORK=off")
		if text, err := build.CombinedOutput(); err != nil {
			return "", fmt.Errorf("building the tests of %s: %w\n%s", dir, err, text)
		}
	}
	cmd := exec.CommandContext(ctx, binary, append([]string{"-test.timeout=0"}, args...)...)
	cmd.Dir = filepath.Join(b.root, dir)
	cmd.Env = append(os.Environ(), environment...)
	var text bytes.Buffer
	cmd.Stdout, cmd.Stderr = &text, &text
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("%s %s: %w\n%s", dir, strings.Join(args, " "), err, text.String())
	}
	return text.String(), nil
}

// bench runs benchmarks and returns their results, of which there must be some.
func (b benchmarks) bench(ctx context.Context, dir, pattern, times string, environment []string, args ...string) ([]benchmark, error) {
	text, err := b.run(ctx, dir, environment, append([]string{"-test.run=^$", "-test.bench=" + pattern, "-test.benchtime=" + times}, args...)...)
	if err != nil {
		return nil, err
	}
	found := parse(text)
	if len(found) == 0 {
		return nil, fmt.Errorf("%s has no benchmark %s", dir, pattern)
	}
	return found, nil
}

var processors = regexp.MustCompile(`-\d+$`)

// parse reads what go test -bench prints
// (https://go.googlesource.com/proposal/+/master/design/14313-benchmark-format.md).
func parse(text string) []benchmark {
	var found []benchmark
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		if len(fields) < 4 || !strings.HasPrefix(fields[0], "Benchmark") {
			continue
		}
		if _, err := strconv.Atoi(fields[1]); err != nil {
			continue
		}
		name := processors.ReplaceAllString(strings.TrimPrefix(fields[0], "Benchmark"), "")
		bench := benchmark{name: name, values: make(map[string]float64)}
		for i := 2; i+1 < len(fields); i += 2 {
			if v, err := strconv.ParseFloat(fields[i], 64); err == nil {
				bench.values[fields[i+1]] = v
			}
		}
		found = append(found, bench)
	}
	return found
}
