package main

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// good are results that hold every limit.
func good() results {
	var r results
	for what, value := range map[string]float64{tripsKept: 2, againstGoMail: 3.5, againstNetSMTP: 1.6, wayAgainstSlower: 0.97, limitedRun: 123.75,
		wayAgainstStages: 1.1, growthCPU: 0.99, growthAllocations: 1,
		renderCost: 0.9, checkCost: 1.2, checkGrowth: 0.8, secondRun: 0.03, sandboxCost: 3} {
		r.add(what, value, "ratio")
	}
	for _, s := range series {
		for i, rtt := range []int{0, 5, 20} {
			for _, conns := range []int{1, 2, 5, 10} {
				r = append(r, result{what: rate, sender: sender{rtt, conns, s.client}, value: float64(conns) * []float64{2000, 90, 24}[i], unit: "msgs/s"})
			}
		}
	}
	return r
}

func TestTableHolds(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	assert.True(t, writeTable(&out, good()))
	assert.Equal(t, len(limits), strings.Count(out.String(), "ok "))
	assert.NotContains(t, out.String(), "NOT")
	assert.Contains(t, out.String(), "go-mail, round trips of 20 ms, connections: 5")
	assert.NotContains(t, markdown(good()), "NOT")
}

// Each limit can fail, on its side of the bound and when nothing was measured.
func TestTableCanFail(t *testing.T) {
	t.Parallel()
	for i, l := range limits {
		beyond := l.bound * 1.01
		if l.atLeast {
			beyond = l.bound * 0.99
		}
		for name, change := range map[string]func(results) results{
			"too far": func(r results) results {
				for i := range r {
					if r[i].what == l.what {
						r[i].value = beyond
					}
				}
				return r
			},
			"not measured": func(r results) results {
				var rest results
				for _, x := range r {
					if x.what != l.what {
						rest = append(rest, x)
					}
				}
				return rest
			},
		} {
			var out bytes.Buffer
			r := change(good())
			assert.False(t, writeTable(&out, r), "%s: %s", l.what, name)
			assert.Equal(t, 1, strings.Count(out.String(), "NOT "))
			assert.True(t, strings.HasPrefix(strings.Split(out.String(), "\n")[i], "NOT "), out.String())
			assert.Contains(t, markdown(r), "**NOT**")
		}
	}
}

func TestResultsSurviveTheirFile(t *testing.T) {
	t.Parallel()
	r := good()
	r.add("x, with \"quotes\"", 123456.7, "cpu-µs")
	var text bytes.Buffer
	require.NoError(t, r.writeCSV(&text))
	again, err := readCSV(&text)
	require.NoError(t, err)
	r[len(r)-1].value = 123457
	for i := range r {
		assert.InEpsilon(t, r[i].value, again[i].value, 0.001)
		again[i].value = r[i].value
	}
	assert.Equal(t, r, again)
	for _, bad := range []string{"a,b\n", "h,h,h,h,h,h\nwhat,,,,x,s\n", "h,h,h,h,h,h\nwhat,x,1,,2,s\n"} {
		_, err := readCSV(strings.NewReader(bad))
		require.Error(t, err, bad)
	}
}

// The picture is XML, shows every client in every panel, and no label covers
// another.
func TestDraw(t *testing.T) {
	t.Parallel()
	var picture bytes.Buffer
	require.NoError(t, draw(&picture, good()))
	labels := make(map[string][]float64) // by x: the y of each
	decoder := xml.NewDecoder(&picture)
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err)
		element, ok := token.(xml.StartElement)
		if !ok || element.Name.Local != "text" {
			continue
		}
		attribute := make(map[string]string)
		for _, a := range element.Attr {
			attribute[a.Name.Local] = a.Value
		}
		if attribute["class"] == "label" {
			y, err := strconv.ParseFloat(attribute["y"], 64)
			require.NoError(t, err)
			labels[attribute["x"]] = append(labels[attribute["x"]], y)
		}
	}
	require.Len(t, labels, 3, "panels")
	for _, ys := range labels {
		require.Len(t, ys, len(series))
		slices.Sort(ys)
		for i := 1; i < len(ys); i++ {
			assert.GreaterOrEqual(t, ys[i]-ys[i-1], labelApart-1.0)
		}
	}
	require.Error(t, draw(io.Discard, nil))
}

func TestThousands(t *testing.T) {
	t.Parallel()
	for n, want := range map[int]string{1: "1", 999: "999", 1000: "1,000", 1_234_567: "1,234,567"} {
		assert.Equal(t, want, thousands(n))
	}
}

func TestParse(t *testing.T) {
	t.Parallel()
	got := parse("goos: linux\nBenchmarkSubmission/rtt=5ms/conns=10/client=net-smtp-2  \t 300\t 2783426 ns/op\t 359.3 msgs/s\t 4.000 trips/msg\n" +
		"BenchmarkStage/way \t 200\t 1 ns/op\t 1512 allocs/op\nBenchmarkBroken\n--- BENCH: BenchmarkNoted-2\nBenchmarkLogged: a line\n")
	assert.Equal(t, []benchmark{
		{"Submission/rtt=5ms/conns=10/client=net-smtp", map[string]float64{"ns/op": 2783426, "msgs/s": 359.3, "trips/msg": 4}},
		{"Stage/way", map[string]float64{"ns/op": 1, "allocs/op": 1512}},
	}, got)
}

// One part measured anew leaves the others as they were.
func TestReplaced(t *testing.T) {
	t.Parallel()
	a, b := sender{5, 1, ours}, sender{5, 2, ours}
	before := results{{"x", a, 1, "s"}, {"x", b, 2, "s"}, {"x", a, 3, "m"}}
	got := before.replaced(results{{"x", b, 20, "s"}, {"y", a, 4, "s"}})
	assert.Equal(t, results{{"x", a, 1, "s"}, {"x", b, 20, "s"}, {"x", a, 3, "m"}, {"y", a, 4, "s"}}, got)
	assert.Equal(t, 2.0, before[1].value)
	for _, name := range []string{"submission", "limits", "overlap", "cpu", "growth", "costs"} {
		parts, ok := full.parts(name)
		assert.True(t, ok)
		assert.Len(t, parts, 1)
	}
	parts, ok := full.parts("")
	assert.True(t, ok)
	assert.Len(t, parts, 6)
}

func TestMedianAndQuotients(t *testing.T) {
	t.Parallel()
	assert.Zero(t, median(nil))
	assert.InDelta(t, 2, median([]float64{3, 1, 2}), 0)
	assert.Equal(t, []float64{2, 3}, quotients([]float64{4, 9, 1}, []float64{2, 3}))
}

// The check of allocations can fail: a stage that grew, one without a baseline,
// and one that is gone.
func TestCompareAllocations(t *testing.T) {
	t.Parallel()
	baseline := []allocation{{"render", 200}, {"submit", 7}}
	for name, tc := range map[string]struct {
		now   []allocation
		fails bool
		says  string
	}{
		"the same":             {[]allocation{{"render", 200}, {"submit", 7}}, false, "render: 200 allocations\n"},
		"within the tolerance": {[]allocation{{"render", 205}, {"submit", 8}}, false, "submit: 8 allocations\n"},
		"grown":                {[]allocation{{"render", 206}, {"submit", 7}}, true, "render: 206 allocations, 200 before: NOT"},
		"a small one grown":    {[]allocation{{"render", 200}, {"submit", 9}}, true, "submit: 9 allocations, 7 before: NOT"},
		"a little less":        {[]allocation{{"render", 190}, {"submit", 7}}, false, "render: 190 allocations\n"},
		"much less":            {[]allocation{{"render", 150}, {"submit", 7}}, false, "render: 150 allocations, 200 before: keep that"},
		"a new stage":          {[]allocation{{"render", 200}, {"submit", 7}, {"sign", 1}}, true, "sign: 1 allocations, and no baseline"},
		"a stage gone":         {[]allocation{{"render", 200}}, true, "submit: not measured any more"},
	} {
		var out bytes.Buffer
		err := compareAllocations(&out, baseline, tc.now)
		assert.Equal(t, tc.fails, err != nil, name)
		assert.Contains(t, out.String(), tc.says, name)
	}
}

func TestReadAllocations(t *testing.T) {
	t.Parallel()
	got, err := readAllocations(strings.NewReader(allocationsHead + "render 200\nsubmit 7\n"))
	require.NoError(t, err)
	assert.Equal(t, []allocation{{"render", 200}, {"submit", 7}}, got)
	_, err = readAllocations(strings.NewReader("render many\n"))
	require.ErrorContains(t, err, "--allocations")
}

// What is committed is what comes of results.csv.
func TestPublished(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "testdata", "performance"), 0o755))
	var committed []string
	for _, name := range []string{"README.md", "testdata/performance/results.csv", "testdata/performance/rate.svg"} {
		text, err := os.ReadFile(filepath.Join("..", "..", name))
		require.NoError(t, err)
		committed = append(committed, string(text))
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), text, 0o600))
	}
	var out, log bytes.Buffer
	require.NoError(t, run(context.Background(), []string{"--root", dir, "--draw"}, &out, &log))
	for i, name := range []string{"README.md", "testdata/performance/results.csv", "testdata/performance/rate.svg"} {
		text, err := os.ReadFile(filepath.Join(dir, name))
		require.NoError(t, err)
		assert.True(t, committed[i] == string(text), "%s is not what comes of results.csv: run testdata/performance/run --draw", name)
	}
}

func TestUsage(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	require.ErrorIs(t, run(context.Background(), []string{"--fast"}, io.Discard, &log), errUsage)
	require.ErrorIs(t, run(context.Background(), []string{"more"}, io.Discard, &log), errUsage)
	require.ErrorIs(t, run(context.Background(), []string{"--part", "all"}, io.Discard, &log), errUsage)
	require.Error(t, run(context.Background(), []string{"--root", t.TempDir(), "--draw"}, io.Discard, &log))
	require.Error(t, run(context.Background(), []string{"--root", t.TempDir(), "--check-allocations"}, io.Discard, &log))
}

func TestBetween(t *testing.T) {
	t.Parallel()
	got, err := between([]byte("a\n"+begin+"old\n"+end+"b\n"), "new\n")
	require.NoError(t, err)
	assert.Equal(t, "a\n"+begin+"new\n"+end+"b\n", string(got))
	for _, text := range []string{"", begin, end} {
		_, err := between([]byte(text), "new")
		require.ErrorIs(t, err, errMarkers)
	}
}
