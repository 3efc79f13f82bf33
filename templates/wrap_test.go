package templates

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestWrap(t *testing.T) {
	t.Parallel()
	url := "https://example.com/" + strings.Repeat("a", 100)
	tests := []struct{ name, in, want string }{
		{"short", "Hello", "Hello\n"},
		{"long", strings.Repeat("word ", 20), strings.TrimSpace(strings.Repeat("word ", 15)) + "\n" +
			strings.TrimSpace(strings.Repeat("word ", 5)) + "\n"},
		{"exactly a line", strings.Repeat("a", 70) + " abcde", strings.Repeat("a", 70) + " abcde\n"},
		{"one too many", strings.Repeat("a", 70) + " abcdef", strings.Repeat("a", 70) + "\nabcdef\n"},
		{"counts code points", strings.Repeat("é", 70) + " abcde", strings.Repeat("é", 70) + " abcde\n"},
		{"keeps the indent", "    " + strings.Repeat("word ", 16), "    " +
			strings.TrimSpace(strings.Repeat("word ", 14)) + "\n    word word\n"},
		{"keeps a URL whole", "See " + url + " for more", "See\n" + url + "\nfor more\n"},
		{"aligns values", "When:\tnow\nOrganizer:\tJane\n\tand Ann\n",
			"When:       now\nOrganizer:  Jane\n            and Ann\n"},
		{"blocks apart", "A:\t1\n\nLonger:\t2", "A:  1\n\nLonger:  2\n"},
		{"hangs a long value", "A:\t" + strings.Repeat("word ", 16), "A:  " +
			strings.TrimSpace(strings.Repeat("word ", 14)) + "\n    word word\n"},
		{"empty lines", "\n\na\n\n\n \nb\n\n", "a\n\nb\n"},
		{"spaces at the end", "a  \nb ", "a\nb\n"},
		{"breaks Japanese between characters", strings.Repeat("日", 50), strings.Repeat("日", 38) + "\n" +
			strings.Repeat("日", 12) + "\n"},
		{"no comma begins a line", strings.Repeat("日", 38) + "、" + "本", strings.Repeat("日", 37) + "\n日、本\n"},
		{"no bracket ends a line", strings.Repeat("日", 37) + "「本」", strings.Repeat("日", 37) + "\n「本」\n"},
		{"aligns wide labels", "日時：\tA\nX：\tB\n", "日時：  A\nX：     B\n"},
		{"a label without a value", "A:\t", "A:\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, tt.want, wrap(tt.in))
		})
	}
}

// No text loses a word to wrapping, and only a word that is too long makes a
// line too long.
func TestWrapKeepsWords(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		in := rapid.StringMatching(`[a-zé \n🎉]{0,400}`).Draw(t, "text")
		out := wrap(in)
		require.Equal(t, strings.Fields(in), strings.Fields(out))
		for line := range strings.SplitSeq(out, "\n") {
			require.Equal(t, strings.TrimRight(line, " "), line)
			if utf8.RuneCountInString(line) > columns {
				require.Len(t, strings.Fields(line), 1)
			}
		}
	})
}

func TestOneLine(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"":                                "",
		"  a\t b\r\n c ":                  "a b c",
		"a\x00b\x7fc\u0085d":              "a b c d",
		"a\u2028b\u2029c":                 "a b c",
		"\u061c\u200e\u200f\u202a\u202ba": "a",
		"\u202c\u202d\u202e\u2066\u2067a": "a",
		"\u2068\u2069a":                   "a",
		"👩\u200d💻":                        "👩\u200d💻",
		"a\u00a0b":                        "a\u00a0b",
		"a\xc3\x28":                       "a\uFFFD(",
	} {
		assert.Equal(t, want, oneLine(in), "%q", in)
	}
}

func TestLink(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]bool{
		`https://example.com/"x"`:                        false,
		"https://example.com/{x}":                        false,
		"https://example.com/it's(1)":                    false,
		"https://example.com/a?b=c#d":                    true,
		"HTTP://example.com":                             true,
		"https://teams.example.com/l/%22x%22/0?c=%7b%7d": true,
		"http://[2001:db8::1]:8080/":                     true,
		"":                                               false,
		"example.com":                                    false,
		"//example.com":                                  false,
		"https://":                                       false,
		"https:example.com":                              false,
		"https://user@example.com/":                      false,
		"https://exämple.com/":                           false,
		"https://example.com/ b":                         false,
		"https://example.com/%zz":                        false,
		"javascript:alert(1)//https://x":                 false,
		"ftp://example.com/":                             false,
		"https://example.com/" + strings.Repeat("a", 1000):    true,
		"https://example.com/?" + strings.Repeat("&", 400):    false,
		"https://example.com/" + strings.Repeat("a", maxLink): false,
	} {
		assert.Equal(t, want, link(in) != "", "%q", in)
	}
}
