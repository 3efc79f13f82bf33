package main

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"os"
	"slices"
	"strconv"
)

// result is a row of results.csv: the median of what a benchmark told, or the ratio
// that a limit is about.
type result struct {
	name
	value float64
}

// digits is the value, with four digits that count or all before the point.
func (r result) digits() string {
	if r.value >= 1000 {
		return strconv.FormatFloat(r.value, 'f', 0, 64)
	}
	return strconv.FormatFloat(r.value, 'g', 4, 64)
}

type results []result

func (s samples) medians() results {
	var r results
	for _, n := range s.names {
		r = append(r, result{n, median(s.values[n])})
	}
	return r
}

// limitResults are the values of the limits that were measured.
func limitResults(s samples) results {
	var r results
	for _, l := range limits {
		if v, known := l.value(s); known {
			r = append(r, result{name{l.what, "limit"}, v})
		}
	}
	return r
}

// replaced returns r with the values of newer, in the place of those that r has of the same.
func (r results) replaced(newer results) results {
	all := slices.Clone(r)
	for _, x := range newer {
		if i := slices.IndexFunc(all, func(y result) bool { return y.name == x.name }); i >= 0 {
			all[i] = x
		} else {
			all = append(all, x)
		}
	}
	return all
}

var csvHead = []string{"benchmark", "value", "unit"}

func (r results) write(file string) error {
	rows := [][]string{csvHead}
	for _, x := range r {
		rows = append(rows, []string{x.benchmark, x.digits(), x.unit})
	}
	var text bytes.Buffer
	if err := csv.NewWriter(&text).WriteAll(rows); err != nil {
		return err
	}
	return os.WriteFile(file, text.Bytes(), 0o644) //nolint:gosec // it is published
}

func readResults(file string) (results, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	reader := csv.NewReader(bytes.NewReader(text))
	reader.FieldsPerRecord = len(csvHead)
	rows, err := reader.ReadAll()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	var r results
	for n, row := range rows {
		if n == 0 {
			continue
		}
		value, err := strconv.ParseFloat(row[1], 64)
		if err != nil {
			return nil, fmt.Errorf("%s, row %d: %w", file, n+1, err)
		}
		r = append(r, result{name{row[0], row[2]}, value})
	}
	return r, nil
}
