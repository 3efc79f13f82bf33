package templates

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// TestFormattedIsNoUnderestimate: what is let pass is never longer than was
// thought, whatever the verbs make of the arguments.
func TestFormattedIsNoUnderestimate(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		args := rapid.SliceOfN(rapid.OneOf(
			rapid.String().AsAny(), rapid.IntRange(-2000, 2000).AsAny(), rapid.Float64().AsAny(), rapid.Bool().AsAny(),
			rapid.Map(rapid.SliceOfN(rapid.String(), 0, 4), func(s []string) []any {
				var list []any
				for _, one := range s {
					list = append(list, one, map[string]any{one: []any{}})
				}
				return list
			}).AsAny(),
		), 0, 4).Draw(t, "args")
		verb := rapid.StringMatching(`x?%[-+# 0]?(\[[0-5]\])?([0-9]{0,4}|\*)(\.([0-9]{0,4}|\*|\[1\]\*))?` +
			`[vsqdxXTtfeUc%]`)
		format := strings.Join(rapid.SliceOfN(verb, 0, 8).Draw(t, "verbs"), "")
		text := fmt.Sprintf(format, args...)
		assert.LessOrEqual(t, int64(len(text)), formatted(format, args), "%q", format)
	})
}

// TestPrintfStaysSmall: a text that is refused was not made.
func TestPrintfStaysSmall(t *testing.T) { //nolint:paralleltest // allocations are counted
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := printf(strings.Repeat("%900000d", 2000), 1) // 1.8 GB
	runtime.ReadMemStats(&after)
	require.Error(t, err)
	assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(64<<20))
}

// TestPrintfPrints: what people write is printed.
func TestPrintfPrints(t *testing.T) {
	t.Parallel()
	text, err := printf("%s, %d of %-5d, %5.1f %% %v", strings.Repeat("é", 16_384), 3, int64(7), 1.25, []any{"a"})
	require.NoError(t, err)
	assert.True(t, strings.HasSuffix(text, "é, 3 of 7    ,   1.2 % [a]"), text[len(text)-40:])
}
