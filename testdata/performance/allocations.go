package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
)

// A stage may allocate this much more than its baseline before the check fails:
// the database and the runtime do not always need the same. Below it by
// muchLess, the baseline asks to be written anew.
const (
	allocTolerance = 1.02
	allocSlack     = 1
	muchLess       = 0.9
)

const allocationsHead = `# What each stage allocates for one invite, in allocations, and the whole way ("way"): BenchmarkStage of package mailer.
# .ci/run holds it. To write it anew: testdata/performance/run --allocations
`

var errAllocations = errors.New(`allocations have grown: see what does it with
	go test -run '^$' -bench 'BenchmarkStage/NAME$' -benchtime 10000x -memprofile mem.out -memprofilerate 1 ./mailer
and if it has to be so, write the baseline anew with
	testdata/performance/run --allocations`)

// allocations counts what each stage allocates: a fixed number of invites, on one
// processor and without a garbage collection, which would empty pools.
func allocations(ctx context.Context, b benchmarks) ([]allocation, error) {
	found, err := b.bench(ctx, mailerTests, "^BenchmarkStage$", "200x", []string{"GOGC=off", "GOMEMLIMIT=off"}, "-test.cpu=1")
	if err != nil {
		return nil, err
	}
	var list []allocation
	for _, f := range found {
		_, stage, _ := strings.Cut(f.name, "/")
		n, ok := f.values["allocs/op"]
		if !ok {
			return nil, fmt.Errorf("%s does not tell its allocations", f.name)
		}
		list = append(list, allocation{stage, int(n)})
	}
	return list, nil
}

// allocation is how many allocations one run of a stage makes.
type allocation struct {
	stage string
	n     int
}

func writeAllocations(ctx context.Context, b benchmarks, p project, out io.Writer) error {
	list, err := allocations(ctx, b)
	if err != nil {
		return err
	}
	var text strings.Builder
	text.WriteString(allocationsHead)
	for _, a := range list {
		fmt.Fprintf(&text, "%s %d\n", a.stage, a.n)
	}
	fmt.Fprint(out, text.String())
	return os.WriteFile(p.file("allocations.txt"), []byte(text.String()), 0o644)
}

func checkAllocations(ctx context.Context, b benchmarks, p project, out io.Writer) error {
	f, err := os.Open(p.file("allocations.txt"))
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	baseline, err := readAllocations(f)
	if err != nil {
		return err
	}
	now, err := allocations(ctx, b)
	if err != nil {
		return err
	}
	return compareAllocations(out, baseline, now)
}

func readAllocations(from io.Reader) ([]allocation, error) {
	var list []allocation
	lines := bufio.NewScanner(from)
	for lines.Scan() {
		line := lines.Text()
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		stage, count, _ := strings.Cut(line, " ")
		n, err := strconv.Atoi(count)
		if err != nil {
			return nil, fmt.Errorf("allocations.txt: %q is not a stage and a number: write it anew with testdata/performance/run --allocations", line)
		}
		list = append(list, allocation{stage, n})
	}
	return list, lines.Err()
}

// compareAllocations tells what differs, and fails if something grew, is new or
// is gone.
func compareAllocations(out io.Writer, baseline, now []allocation) error {
	failed := false
	for _, a := range now {
		i := slices.IndexFunc(baseline, func(b allocation) bool { return b.stage == a.stage })
		if i < 0 {
			fmt.Fprintf(out, "%s: %d allocations, and no baseline\n", a.stage, a.n)
			failed = true
			continue
		}
		was := float64(baseline[i].n)
		switch n := float64(a.n); {
		case n > was*allocTolerance+allocSlack:
			fmt.Fprintf(out, "%s: %d allocations, %.0f before: NOT within 2 %% and 1\n", a.stage, a.n, was)
			failed = true
		case n < was*muchLess:
			fmt.Fprintf(out, "%s: %d allocations, %.0f before: keep that with testdata/performance/run --allocations\n", a.stage, a.n, was)
		default:
			fmt.Fprintf(out, "%s: %d allocations\n", a.stage, a.n)
		}
	}
	for _, b := range baseline {
		if !slices.ContainsFunc(now, func(a allocation) bool { return a.stage == b.stage }) {
			fmt.Fprintf(out, "%s: not measured any more\n", b.stage)
			failed = true
		}
	}
	if failed {
		return errAllocations
	}
	return nil
}
