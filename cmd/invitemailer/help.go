package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/alecthomas/kong"
)

// printHelp prints the help of one subcommand as kong does, and for the whole
// command every flag and every environment variable there is.
func printHelp(options kong.HelpOptions, ctx *kong.Context) error {
	if ctx.Selected() != nil {
		return kong.DefaultHelpPrinter(options, ctx)
	}
	w := &strings.Builder{}
	app := ctx.Model
	fmt.Fprintf(w, "Usage: %s <command> [flags]\n\n%s\n\nCommands:\n", app.Name, app.Help)
	printCommands(w, app.Leaves(true))
	fmt.Fprint(w, "\nFlags:\n")
	printFlags(w, app.Flags)
	shared := map[string]bool{}
	for _, leaf := range app.Leaves(true) {
		flags := leaf.Flags
		title := leaf.Name
		if takesRecords(leaf) {
			if shared["records"] {
				flags = without(flags, shared)
			} else {
				title = "send and cancel"
				for _, f := range flags {
					shared[f.Name] = true
				}
				shared["records"] = true
			}
		}
		if len(flags) > 0 {
			fmt.Fprintf(w, "\nFlags of %s:\n", title)
			printFlags(w, flags)
		}
	}
	fmt.Fprint(w, "\nEnvironment (a flag goes before it; an empty value counts as none,\nexcept where it is an error):\n")
	if err := printVariables(w); err != nil {
		return err
	}
	fmt.Fprint(w, exitCodeHelp)
	_, err := io.WriteString(ctx.Stdout, w.String())
	return err
}

const exitCodeHelp = `
Exit codes (the first that applies):
  64  the command line is wrong
  66  an input cannot be read at all
  78  settings, ledger, API key or login have to be fixed
  75  run again: something is deferred, or unknown and to be repeated, or the run was stopped
  1   something failed or expired, or a person has to decide about an unknown end
  65  some input is invalid, the rest is done
  0   all is sent, unchanged or valid, or was told by an earlier run
`

func takesRecords(n *kong.Node) bool {
	return len(n.Positional) > 0 && n.Positional[0].Name == "file"
}

func without(flags []*kong.Flag, names map[string]bool) []*kong.Flag {
	var rest []*kong.Flag
	for _, f := range flags {
		if !names[f.Name] {
			rest = append(rest, f)
		}
	}
	return rest
}

func printCommands(w io.Writer, leaves []*kong.Node) {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, leaf := range leaves {
		fmt.Fprintf(table, "  %s\t%s\n", strings.TrimSpace(leaf.Path()+" "+positionals(leaf)), leaf.Help)
	}
	_ = table.Flush() // a strings.Builder takes everything
}

func positionals(n *kong.Node) string {
	switch {
	case len(n.Positional) == 0:
		return ""
	case n.Positional[0].Name == "dir":
		return "DIR"
	}
	return "[FILE...]"
}

func printFlags(w io.Writer, flags []*kong.Flag) {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, f := range flags {
		fmt.Fprintf(table, "  %s\t%s\n", f, f.Help)
	}
	_ = table.Flush() // a strings.Builder takes everything
}
