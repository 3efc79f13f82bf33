package main

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
)

// What is measured, by the names in results.csv. The first ones have limits.
const (
	tripsKept         = "round trips a message"
	againstGoMail     = "submission against go-mail"
	againstNetSMTP    = "submission against net/smtp"
	wayAgainstSlower  = "the whole way against the slower server"
	limitedRun        = "1,200 invites at the documented limits"
	wayAgainstStages  = "the whole way against its stages"
	growthCPU         = "CPU time of a large run against a small one"
	growthAllocations = "allocations of a large run against a small one"
	renderCost        = "rendering against composing"
	checkCost         = "checking against composing"
	checkGrowth       = "checking 1 MB against 10 kB"
	secondRun         = "a second run against the first"
	sandboxCost       = "send --sandbox against version"

	rate       = "submission"
	roundTrips = "round trips"
)

// The clients, by the names that the benchmarks give them.
const (
	ours    = "ours"
	goMail  = "go-mail"
	netSMTP = "net-smtp"
	goSMTP  = "go-smtp"
	grouped = "grouped-limit"
)

// sender is a client on so many connections over a way of so many ms. The zero
// value is for results that have none.
type sender struct {
	rtt    int
	conns  int
	client string
}

// result is one measured value.
type result struct {
	what string
	sender
	value float64
	unit  string
}

type results []result

func (r *results) add(what string, value float64, unit string) {
	*r = append(*r, result{what: what, value: value, unit: unit})
}

// find returns the first value by that name, of that client.
func (r results) find(what string, s sender) (float64, bool) {
	for _, x := range r {
		if x.what == what && x.sender == s {
			return x.value, true
		}
	}
	return 0, false
}

// replaced returns r with the values of newer, in the place of those that r has of
// the same.
func (r results) replaced(newer results) results {
	all := slices.Clone(r)
	for _, x := range newer {
		i := slices.IndexFunc(all, func(y result) bool { return y.what == x.what && y.sender == x.sender && y.unit == x.unit })
		if i < 0 {
			all = append(all, x)
			continue
		}
		all[i] = x
	}
	return all
}

var csvHead = []string{"what", "round trip (ms)", "connections", "client", "value", "unit"}

func (r results) writeCSV(w io.Writer) error {
	rows := [][]string{csvHead}
	for _, x := range r {
		row := []string{x.what, "", "", x.client, strconv.FormatFloat(x.value, 'g', 4, 64), x.unit}
		if x.value >= 1000 {
			row[4] = strconv.FormatFloat(x.value, 'f', 0, 64)
		}
		if x.conns > 0 {
			row[1], row[2] = strconv.Itoa(x.rtt), strconv.Itoa(x.conns)
		}
		rows = append(rows, row)
	}
	return csv.NewWriter(w).WriteAll(rows)
}

func readCSV(from io.Reader) (results, error) {
	reader := csv.NewReader(from)
	reader.FieldsPerRecord = len(csvHead)
	rows, err := reader.ReadAll()
	if err != nil {
		return nil, err
	}
	var r results
	for n, row := range rows {
		if n == 0 {
			continue
		}
		x := result{what: row[0], sender: sender{client: row[3]}, unit: row[5]}
		var errs [3]error
		x.value, errs[0] = strconv.ParseFloat(row[4], 64)
		if row[2] != "" {
			x.rtt, errs[1] = strconv.Atoi(row[1])
			x.conns, errs[2] = strconv.Atoi(row[2])
		}
		if err := errors.Join(errs[:]...); err != nil {
			return nil, fmt.Errorf("results.csv, row %d: %w", n+1, err)
		}
		r = append(r, x)
	}
	return r, nil
}
