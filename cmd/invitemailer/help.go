package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"reflect"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/alecthomas/kong"
)

// printHelp prints a subcommand's help as kong does, and for the command all flags and variables.
func printHelp(options kong.HelpOptions, ctx *kong.Context) error {
	if ctx.Selected() != nil {
		return kong.DefaultHelpPrinter(options, ctx)
	}
	w := &strings.Builder{}
	app := ctx.Model
	fmt.Fprintf(w, "Usage: %s <command> [flags]\n\n%s\n\nCommands:\n", app.Name, app.Help)
	var commands [][]string
	for _, leaf := range app.Leaves(true) {
		commands = append(commands, []string{"  " + strings.TrimSpace(leaf.Path()+" "+arguments(leaf)), leaf.Help})
	}
	writeTable(w, commands)
	fmt.Fprint(w, "\nFlags:\n")
	printFlags(w, app.Flags)
	var ofSend []*kong.Flag
	for _, leaf := range app.Leaves(true) {
		title, flags := leaf.Name, leaf.Flags
		switch leaf.Name {
		case "send":
			title, ofSend = "send and cancel", flags
		case "cancel", "preview":
			flags = without(flags, ofSend)
		}
		if len(flags) > 0 {
			fmt.Fprintf(w, "\nFlags of %s:\n", title)
			printFlags(w, flags)
		}
	}
	fmt.Fprint(w, "\nEnvironment (a flag goes before it; an empty value counts as none,\n"+
		"except where it is an error):\n")
	var variables [][]string
	for field := range reflect.TypeFor[settings]().Fields() {
		name := field.Tag.Get("envconfig")
		variables = append(variables, []string{"  " + name, cmp.Or(field.Tag.Get("default"), "-"), variableHelp[name]})
	}
	writeTable(w, variables)
	fmt.Fprint(w, exitCodeHelp)
	_, err := io.WriteString(ctx.Stdout, w.String())
	return err
}

// arguments is what stands after the name of a subcommand.
func arguments(n *kong.Node) string {
	switch {
	case len(n.Positional) == 0:
		return ""
	case n.Positional[0].Name == "dir":
		return "DIR"
	}
	return "[FILE...]"
}

func printFlags(w *strings.Builder, flags []*kong.Flag) {
	var rows [][]string
	for _, f := range flags {
		rows = append(rows, []string{"  " + f.String(), f.Help})
	}
	writeTable(w, rows)
}

// without returns the flags whose names others do not have.
func without(flags, others []*kong.Flag) []*kong.Flag {
	return slices.DeleteFunc(slices.Clone(flags), func(f *kong.Flag) bool {
		return slices.ContainsFunc(others, func(o *kong.Flag) bool { return o.Name == f.Name })
	})
}

// writeTable writes rows in columns.
func writeTable(w *strings.Builder, rows [][]string) {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, row := range rows {
		fmt.Fprintln(table, strings.Join(row, "\t"))
	}
	_ = table.Flush() // a strings.Builder takes everything
}

// versionCmd prints what was built, from which revision, by which Go.
type versionCmd struct{}

func (versionCmd) run(_ context.Context, inv *invocation) exitCode {
	info, _ := debug.ReadBuildInfo()
	return inv.print(describe(info))
}

func describe(info *debug.BuildInfo) string {
	version, revision := "(unknown)", ""
	if info != nil {
		version = info.Main.Version
		for _, s := range info.Settings {
			switch {
			case s.Key == "vcs.revision":
				revision = " " + s.Value
			case s.Key == "vcs.modified" && s.Value == "true":
				revision += " (modified)"
			}
		}
	}
	return fmt.Sprintf("invitemailer %s%s %s %s/%s", version, revision, runtime.Version(), runtime.GOOS, runtime.GOARCH)
}
