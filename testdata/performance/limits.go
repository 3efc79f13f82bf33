package main

import (
	"fmt"
	"io"
	"text/tabwriter"
)

// limit is what a measured value must hold.
type limit struct {
	part    string
	what    string
	of      name
	over    string // the benchmark by whose value of the same round it is divided, or none
	atLeast bool   // or else at most
	bound   float64
	format  string // of the value
}

// toServer names a benchmark of submission; the round-trip time is in milliseconds.
func toServer(rtt, connections int, client string) string {
	return fmt.Sprintf("mailer/submission.Submission/rtt=%dms/conns=%d/client=%s", rtt, connections, client)
}

const times = "%.2f ×"

var limits = []limit{
	{"submission", "round trips a message, on a kept connection",
		name{toServer(5, 10, "ours"), "trips/msg"}, "", false, 2.1, "%.1f"},
	{"submission", "rate of submission on 10 connections with round trips of 5 ms, against go-mail's client as it comes",
		name{toServer(5, 10, "ours"), "msgs/s"}, toServer(5, 10, "go-mail"), true, 3, times},
	{"submission", "the same without a round-trip time, against net/smtp",
		name{toServer(0, 10, "ours"), "msgs/s"}, toServer(0, 10, "net-smtp"), true, 1.3, times},
	{"overlap", "rate of the whole way (API latency 50 ms, SMTP round trips 20 ms, 10 at once), against the slower of the two servers alone",
		name{"mailer.Overlap", "way/slower"}, "", true, 0.9, times},
	{"limits", "1,200 invites at the API's documented limits: the last fifty may begin after 123 s (virtual time)",
		name{"mailer.RateLimitsAreUsedToTheFull", "virtual-seconds"}, "", false, 127, "%.1f s"},
	{"cpu", "CPU time of the whole way with a ledger on disk, against the sum of its stages",
		name{"mailer.CPU", "way/stages"}, "", false, 1.2, times},
	{"growth", "CPU time of an invite among 100,000, against one among 1,000",
		name{"mailer.Growth", "many/few-cpu"}, "", false, 1.25, times},
	{"growth", "allocations of an invite among 100,000, against one among 1,000",
		name{"mailer.Growth", "many/few-allocs"}, "", false, 1.02, times},
	{"costs", "time to render a mail, against composing it",
		name{"mailer.Stages", "render/compose"}, "", false, 2, times},
	{"costs", "time to check a mail, against composing it",
		name{"mailer.Stages", "check/compose"}, "", false, 3, times},
	{"costs", "time to check an octet of a mail of 1 MB, against one of 10 kB",
		name{"mailer/lint.Growth", "1000kB/10kB"}, "", false, 1.3, times},
	{"costs", "CPU time of `invitemailer send --sandbox` with one invite, against `invitemailer version`",
		name{"cmd/invitemailer.Sandbox", "sandbox/version"}, "", false, 3.5, times},
	{"second-run", "CPU time of a run over 10,000 invites that are all sent, against the run that sent them",
		name{"cmd/invitemailer.Batch", "again/first-cpu"}, "", false, 0.1, times},
	{"memory", "peak memory of a run that sends 100,000 invites, above that of one that sends 10,000",
		name{"cmd/invitemailer.Memory", "more-MiB"}, "", false, 40, "%.0f MiB"},
}

// value is the median of what the rounds told, and false if they told nothing.
func (l limit) value(s samples) (float64, bool) {
	values := s.values[l.of]
	if l.over != "" {
		over := s.values[name{l.over, l.of.unit}]
		if len(over) != len(values) {
			return 0, false
		}
		quotients := make([]float64, len(values))
		for i := range values {
			quotients[i] = values[i] / over[i]
		}
		values = quotients
	}
	if len(values) == 0 {
		return 0, false
	}
	return median(values), true
}

// writeTable writes the ratios of a part, or of all, with their limits, and then everything else.
// It reports whether the limits hold; one that was not measured does not.
func writeTable(w io.Writer, part string, s samples) (holds bool) {
	holds = true
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, l := range limits {
		if part != "" && part != l.part {
			continue
		}
		v, known := l.value(s)
		sign, within := "≤", v <= l.bound
		if l.atLeast {
			sign, within = "≥", v >= l.bound
		}
		verdict, value := "NOT", "not measured"
		if known {
			value = fmt.Sprintf(l.format, v)
		}
		if known && within {
			verdict = "ok"
		}
		holds = holds && verdict == "ok"
		fmt.Fprintf(t, "%s\t%s\t%s %s\t%s\n", verdict, value, sign, fmt.Sprintf(l.format, l.bound), l.what)
	}
	fmt.Fprintln(t, "\nFor information; these depend on the machine:")
	for _, r := range s.medians() {
		fmt.Fprintf(t, "\t%s\t%s\t%s\n", r.digits(), r.unit, r.benchmark)
	}
	_ = t.Flush() // as with Fprintf, nothing can be done about it
	return holds
}
