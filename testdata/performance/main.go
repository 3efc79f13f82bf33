// Command performance runs the project's benchmarks and holds their ratios to
// limits; see the script run beside it, which starts it.
//
// It is a module of its own: nothing of it belongs to what users import.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
)

func main() {
	switch err := run(os.Args[1:], os.Stdout, os.Stderr); {
	case errors.Is(err, errUsage):
		os.Exit(64)
	case err != nil:
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

var (
	errUsage  = errors.New("usage")
	errLimits = errors.New("not all limits hold")
)

// drawing is the part that measures nothing.
const drawing = "plot"

// run does what the arguments ask for, in the directory of results.csv; the table
// goes to out, progress to log.
func run(args []string, out, log io.Writer) error {
	flags := flag.NewFlagSet("run", flag.ContinueOnError)
	flags.SetOutput(log)
	quick := flags.Bool("quick", false, "less exact; writes nothing")
	part := flags.String("part", "", "measure only `NAME`: "+strings.Join(partNames(), ", "))
	if flags.Parse(args) != nil {
		return errUsage
	}
	if flags.NArg() > 0 || *part != "" && !slices.Contains(partNames(), *part) {
		flags.Usage()
		return errUsage
	}
	samples, err := measure(*part, *quick, log)
	if err != nil {
		return err
	}
	holds := writeTable(out, *part, samples)
	if !*quick {
		if err := publish(*part, samples); err != nil {
			return err
		}
	}
	if !holds {
		return errLimits
	}
	return nil
}

// publish writes results.csv, in which the results of other parts stay, and draws the plot from it.
func publish(part string, s samples) error {
	var before results
	if part != "" {
		var err error
		if before, err = readResults("results.csv"); err != nil {
			return err
		}
	}
	r := before.replaced(limitResults(s)).replaced(s.medians())
	if err := r.write("results.csv"); err != nil {
		return err
	}
	return draw("rate.svg", r)
}
