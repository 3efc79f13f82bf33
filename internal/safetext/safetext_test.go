package safetext

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestLine: nothing that a terminal obeys gets through, it is seen that it was there, and letters
// of all languages stay.
func TestLine(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"":                                 "",
		"Board meeting":                    "Board meeting",
		"Café – Zürich 🎉":                  "Café – Zürich 🎉",
		"no\u00a0break":                    "no\u00a0break",
		"می\u200cخواهم":                    "می\u200cخواهم",
		"👩\u200d💻":                         "👩\u200d💻",
		"\x1b[31mred\x1b]0;title\x07":      `\x1b[31mred\x1b]0;title\x07`,
		"a\rb":                             "a b",
		"a\r\nb\tc\vd\fe\u0085f\u2028g":    "a  b c d e f g",
		"del\x7f \u009b31m":                `del\x7f \u009b31m`,
		"gpj.\u202etxt \u2066\u2069\u061c": `gpj.\u202etxt \u2066\u2069\u061c`,
		"zero\u200bwidth\ufeff":            `zero\u200bwidth\ufeff`,
		"tag\U000e0041":                    `tag\U000e0041`,
		"bad\xff\xc3":                      `bad\xff\xc3`,
		"\ufffd stays":                     "\ufffd stays",
		"nul\x00":                          `nul\x00`,
	} {
		assert.Equal(t, want, Line(in), "%q", in)
	}
}

func TestText(t *testing.T) {
	t.Parallel()
	assert.Equal(t, "a\nb\tc d\\x1b", Text("a\r\nb\tc\rd\x1b"))
}

// TestJSONWriter: the line has nothing that a terminal obeys, and says the same.
func TestJSONWriter(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"plain", "\x1b[31m\x7f\u009b\u202e\u2028", "tag\U000e0041 🎉 é", `back\slash "quote"`,
		"tab\tlf\n", "\u0080"} {
		var b bytes.Buffer
		e := json.NewEncoder(JSONWriter(&b))
		e.SetEscapeHTML(false)
		require.NoError(t, e.Encode(map[string]string{"s": s}))
		for _, r := range strings.TrimSuffix(b.String(), "\n") {
			assert.True(t, unicode.IsGraphic(r), "%q in %q", r, b.String())
		}
		var back map[string]string
		require.NoError(t, json.Unmarshal(b.Bytes(), &back))
		assert.Equal(t, s, back["s"])
	}
}

type fullWriter struct{}

func (fullWriter) Write([]byte) (int, error) { return 3, assert.AnError }

func TestJSONWriterFails(t *testing.T) {
	t.Parallel()
	n, err := JSONWriter(fullWriter{}).Write([]byte("\u0080"))
	require.ErrorIs(t, err, assert.AnError)
	assert.LessOrEqual(t, n, 2, "no more is written than was given")
}

func FuzzLine(f *testing.F) {
	f.Add("a\x1b\u202e\xff\r\n")
	f.Fuzz(func(t *testing.T, s string) {
		line := Line(s)
		if !utf8.ValidString(line) {
			t.Errorf("%q is not UTF-8", line)
		}
		for _, r := range line {
			if r == '\n' || r == '\r' || !unicode.IsGraphic(r) && r != 0x200c && r != 0x200d {
				t.Errorf("%q is in %q", r, line)
			}
		}
		if Line(line) != line {
			t.Errorf("%q is changed again", line)
		}
	})
}

func TestReplaceFold(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ s, old, want string }{
		{"to ANN@Example.com, ann@example.com", "ann@example.com", "to X, X"},
		{"é É ö", "é", "X X ö"},
		{"short", "longer than it", "short"},
		{"", "a", ""},
		{"nothing", "", "nothing"},
		{"aaa", "aa", "Xa"},
	} {
		assert.Equal(t, c.want, ReplaceFold(c.s, c.old, "X"))
	}
}

func TestShort(t *testing.T) {
	t.Parallel()
	assert.Equal(t, "", Short("", 3))
	assert.Equal(t, "éöü", Short("éöü", 3))
	assert.Equal(t, `éö\x1b…`, Short("éö\x1bx", 3))
}
