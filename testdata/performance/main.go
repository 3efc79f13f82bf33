// Command performance runs the project's benchmarks and holds their ratios to
// limits; see the script run beside it, which starts it.
//
// It is a module of its own: nothing of it belongs to what users import.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	switch {
	case err == nil:
	case errors.Is(err, errUsage):
		os.Exit(64)
	default:
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

var (
	errUsage  = errors.New("usage")
	errLimits = errors.New("not all limits hold")
)

// run does what the arguments ask for; the table goes to out, progress to log.
func run(ctx context.Context, args []string, out, log io.Writer) error {
	flags := flag.NewFlagSet("run", flag.ContinueOnError)
	flags.SetOutput(log)
	var (
		root      = flags.String("root", ".", "the repository")
		quick     = flags.Bool("quick", false, "a minute's look, less exact; writes nothing")
		draw      = flags.Bool("draw", false, "write picture and README from results.csv as it is")
		check     = flags.Bool("check-allocations", false, "hold allocations against allocations.txt")
		part      = flags.String("part", "", "measure only submission, limits, overlap, cpu, growth or costs; the rest stays as it is in results.csv")
		allocated = flags.Bool("allocations", false, "write allocations.txt anew")
	)
	if flags.Parse(args) != nil || flags.NArg() > 0 {
		return errUsage
	}
	p := project{root: filepath.Clean(*root)}
	scratch, err := os.MkdirTemp("", "performance")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(scratch) }()
	b := benchmarks{root: p.root, scratch: scratch, log: log}
	switch {
	case *check:
		return checkAllocations(ctx, b, p, out)
	case *allocated:
		return writeAllocations(ctx, b, p, out)
	case *draw:
		results, err := p.readResults()
		if err != nil {
			return err
		}
		return p.publish(results)
	}
	parts, ok := full.parts(*part)
	if !ok {
		fmt.Fprintf(log, "there is no part %q: submission, limits, overlap, cpu, growth, costs\n", *part)
		return errUsage
	}
	if *quick {
		fmt.Fprintf(log, "a quick look: %d and %d invites in place of 1,000 and 100,000\n", short.way.invites, short.way.invites*short.way.growth)
		parts, _ = short.parts(*part)
	}
	var before results
	if *part != "" {
		if before, err = p.readResults(); err != nil {
			return err
		}
	}
	measured, err := measure(ctx, b, parts)
	if err != nil {
		return err
	}
	results := before.replaced(measured)
	holds := writeTable(out, results)
	if !*quick {
		if err := p.writeResults(results); err != nil {
			return err
		}
		// From the file, whose numbers are rounded: what is published can be made
		// of it again.
		if results, err = p.readResults(); err != nil {
			return err
		}
		if err := p.publish(results); err != nil {
			return err
		}
	}
	if !holds {
		return errLimits
	}
	return nil
}
