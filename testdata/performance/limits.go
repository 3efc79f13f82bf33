package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// limit is what a measured value must hold.
type limit struct {
	what    string // the name of the result
	text    string // what was measured, for people
	atLeast bool   // or else at most
	bound   float64
	show    func(float64) string
}

var limits = []limit{
	{tripsKept, "round trips a message, on a kept connection", false, 2.1, plain},
	{againstGoMail, "rate of submission on 10 connections with round trips of 5 ms, against go-mail's client as it comes", true, 3, times},
	{againstNetSMTP, "the same without a round-trip time, against net/smtp", true, 1.3, times},
	{wayAgainstSlower, "rate of the whole way (API latency 50 ms, SMTP round trips 20 ms, 10 at once), against the slower of the two servers alone", true, 0.9, percent},
	{limitedRun, "1,200 invites at the API's documented limits: the last fifty may begin after 123 s (virtual time)", false, 127, seconds},
	{wayAgainstStages, "CPU time of the whole way with a ledger on disk, against the sum of its stages", false, 1.2, times},
	{growthCPU, "CPU time of an invite among 100,000, against one among 1,000", false, 1.25, times},
	{growthAllocations, "allocations of an invite among 100,000, against one among 1,000", false, 1.02, times},
	{renderCost, "time to write the words of a mail, against composing it", false, 2, times},
	{checkCost, "time to check a mail, against composing it", false, 2, times},
	{checkGrowth, "time to check an octet of a mail of 1 MB, against one of 10 kB", false, 1.3, times},
	{secondRun, "CPU time of a run over 10,000 invites that are all sent, against the run that sent them", false, 0.05, percent},
	{sandboxCost, "CPU time of `invitemailer send --sandbox` with one invite, against `invitemailer version`", false, 3.5, times},
}

func plain(v float64) string   { return fmt.Sprintf("%.1f", v) }
func times(v float64) string   { return fmt.Sprintf("%.2f ×", v) }
func percent(v float64) string { return fmt.Sprintf("%.0f %%", 100*v) }
func seconds(v float64) string { return fmt.Sprintf("%.1f s", v) }

// verdict is a limit and what was measured.
type verdict struct {
	limit
	value float64
	known bool
}

// judge holds the results against every limit. What was not measured does not
// hold.
func judge(r results) []verdict {
	verdicts := make([]verdict, len(limits))
	for i, l := range limits {
		v := verdict{limit: l}
		v.value, v.known = r.find(l.what, sender{})
		verdicts[i] = v
	}
	return verdicts
}

func (v verdict) holds() bool {
	if v.atLeast {
		return v.known && v.value >= v.bound
	}
	return v.known && v.value <= v.bound
}

// demanded is the limit for people.
func (v verdict) demanded() string {
	if v.atLeast {
		return "≥ " + v.show(v.bound)
	}
	return "≤ " + v.show(v.bound)
}

// measured is the value for people.
func (v verdict) measured() string {
	if !v.known {
		return "not measured"
	}
	return v.show(v.value)
}

func (v verdict) word() string {
	if v.holds() {
		return "ok"
	}
	return "NOT"
}

// writeTable writes the ratios with their limits, then everything else, and
// reports whether all limits hold.
func writeTable(w io.Writer, r results) (holds bool) {
	holds = true
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, v := range judge(r) {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\n", v.word(), v.measured(), v.demanded(), v.text)
		holds = holds && v.holds()
	}
	fmt.Fprintln(t, "\nFor information; these depend on the machine:")
	for _, x := range r {
		if limited(x.what) {
			continue
		}
		name := x.what
		if x.conns > 0 {
			name = fmt.Sprintf("%s, %s, round trips of %d ms, connections: %d", name, x.client, x.rtt, x.conns)
		}
		fmt.Fprintf(t, "\t%s\t%s\t%s\n", short3(x.value), x.unit, name)
	}
	_ = t.Flush() // as with Fprintf, nothing can be done about it
	return holds
}

func limited(what string) bool {
	for _, l := range limits {
		if l.what == what {
			return true
		}
	}
	return false
}

// short3 is a number with three digits that count.
func short3(v float64) string {
	if v >= 100 {
		return fmt.Sprintf("%.0f", v)
	}
	return fmt.Sprintf("%.3g", v)
}

// markdown is the table for the README.
func markdown(r results) string {
	var b strings.Builder
	b.WriteString("| what | limit | measured |\n|---|---|---|\n")
	for _, v := range judge(r) {
		mark := ""
		if !v.holds() {
			mark = " **NOT**"
		}
		fmt.Fprintf(&b, "| %s | %s | %s%s |\n", v.text, v.demanded(), v.measured(), mark)
	}
	return b.String()
}
