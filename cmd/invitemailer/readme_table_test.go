package main

import (
	"encoding/csv"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestManualPerformance: the table of what was measured is that of the last measurement, in
// which each of its rows has the unit "limit".
func TestManualPerformance(t *testing.T) {
	t.Parallel()
	results := filepath.Join("testdata", "performance", "results.csv")
	rows, err := csv.NewReader(strings.NewReader(repositoryText(t, results))).ReadAll()
	require.NoError(t, err)
	measured := make(map[string]string)
	for _, row := range rows {
		if row[2] == "limit" {
			measured[row[0]] = row[1]
		}
	}
	line := regexp.MustCompile(`(?m)^\| (.+) \| [≤≥] .+ \| ([0-9.]+)(.*) \|$`)
	shown := line.FindAllStringSubmatch(repositoryText(t, filepath.Join("docs", "performance.md")), -1)
	assert.Len(t, shown, len(measured))
	for _, row := range shown {
		what, number, unit := row[1], row[2], row[3]
		value, err := strconv.ParseFloat(measured[what], 64)
		require.NoError(t, err, "%s has no %q", results, what)
		if unit == " %" {
			value *= 100
		}
		_, decimals, _ := strings.Cut(number, ".")
		assert.Equal(t, strconv.FormatFloat(value, 'f', len(decimals), 64), number, what)
	}
}
