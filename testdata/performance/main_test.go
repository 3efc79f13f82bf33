package main

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// told are samples of one round in which every limit has the value that f makes of its bound.
func told(f func(l limit) float64) samples {
	var s samples
	for _, l := range limits {
		value := f(l)
		if l.over != "" {
			s.add(name{l.over, l.of.unit}, 1/value)
			value = 1
		}
		if s.values[l.of] == nil {
			s.add(l.of, value)
		}
	}
	return s
}

func bound(l limit) float64 { return l.bound }

func TestTable(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	assert.True(t, writeTable(&out, "", told(bound)))
	assert.Equal(t, len(limits), strings.Count(out.String(), "ok "))
	out.Reset()
	assert.True(t, writeTable(&out, "memory", told(bound)))
	assert.Equal(t, 1, strings.Count(out.String(), "ok "), "of one part, its own limits")
	assert.Contains(t, out.String(), "40 MiB")
}

// Each limit can fail, on its side of the bound and when nothing was measured.
func TestTableCanFail(t *testing.T) {
	t.Parallel()
	for i, l := range limits {
		beyond := told(func(other limit) float64 {
			switch {
			case other.what != l.what:
				return other.bound
			case l.atLeast:
				return l.bound * 0.99
			}
			return l.bound * 1.01
		})
		missing := told(bound)
		delete(missing.values, l.of)
		for kind, s := range map[string]samples{"beyond": beyond, "not measured": missing} {
			s.names = nil // the rest is only shown
			var out bytes.Buffer
			assert.False(t, writeTable(&out, "", s), "%s: %s", l.what, kind)
			assert.True(t, strings.HasPrefix(strings.Split(out.String(), "\n")[i], "NOT "), "%s: %s\n%s", l.what, kind,
				&out)
		}
	}
}

// A limit is about the median of the rounds, and a quotient is taken within each.
func TestValueOfRounds(t *testing.T) {
	t.Parallel()
	var s samples
	for _, pair := range [][2]float64{{10, 1}, {1, 10}, {6, 2}} {
		s.add(name{"ours", "msgs/s"}, pair[0])
		s.add(name{"other", "msgs/s"}, pair[1])
	}
	v, known := limit{of: name{"ours", "msgs/s"}}.value(s)
	assert.True(t, known)
	assert.InDelta(t, 6, v, 0)
	v, known = limit{of: name{"ours", "msgs/s"}, over: "other"}.value(s)
	assert.True(t, known)
	assert.InDelta(t, 3, v, 0)
	s.add(name{"ours", "msgs/s"}, 1)
	_, known = limit{of: name{"ours", "msgs/s"}, over: "other"}.value(s)
	assert.False(t, known, "a round of one without the other")
}

func TestParse(t *testing.T) {
	t.Parallel()
	var s samples
	n := s.parse("mailer", "goos: linux\n"+
		"BenchmarkSubmission/conns=10/client=net-smtp-2  \t 300\t 2783426 ns/op\t 359.3 msgs/s\t 4.000 trips/msg\t 7 allocs/op\n"+
		"BenchmarkBroken\n--- BENCH: BenchmarkNoted-2\nBenchmarkLogged: a line\n"+
		"=== ATTR  TestRateLimits virtual-seconds 123.5\n=== ATTR  TestRateLimits why because\n")
	assert.Equal(t, 3, n)
	assert.Equal(t, map[name][]float64{
		{"mailer.Submission/conns=10/client=net-smtp", "msgs/s"}:    {359.3},
		{"mailer.Submission/conns=10/client=net-smtp", "trips/msg"}: {4},
		{"mailer.RateLimits", "virtual-seconds"}:                    {123.5},
	}, s.values)
}

// What is committed can be read, is written as it was, and gives the plot; one part
// measured anew leaves the others as they were.
func TestResults(t *testing.T) {
	t.Parallel()
	r, err := readResults("results.csv")
	require.NoError(t, err)
	again := filepath.Join(t.TempDir(), "results.csv")
	require.NoError(t, r.write(again))
	want, err := os.ReadFile("results.csv")
	require.NoError(t, err)
	got, err := os.ReadFile(again)
	require.NoError(t, err)
	assert.Equal(t, string(want), string(got))

	picture := filepath.Join(t.TempDir(), "rate.svg")
	require.NoError(t, draw(picture, r))
	svg, err := os.ReadFile(picture)
	require.NoError(t, err)
	for _, c := range clients {
		assert.Contains(t, string(svg), ">"+c.label+"</text>")
	}
	require.ErrorContains(t, draw(picture, nil), "measure the part submission")

	newer := result{name{r[0].benchmark, r[0].unit}, 17}
	added := result{name{"new", "s"}, 18}
	assert.Equal(t, append(append(results{newer}, r[1:]...), added), r.replaced(results{newer, added}))

	require.NoError(t, os.WriteFile(again, []byte("benchmark,value,unit\nx,fast,s\n"), 0o600))
	_, err = readResults(again)
	require.ErrorContains(t, err, "row 2")
}

// Every limit belongs to a part that can be asked for.
func TestParts(t *testing.T) {
	t.Parallel()
	for _, l := range limits {
		assert.Contains(t, partNames(), l.part, l.what)
	}
	for _, args := range [][]string{{"--fast"}, {"more"}, {"--part", "all"}} {
		require.ErrorIs(t, run(args, io.Discard, io.Discard), errUsage)
	}
}
