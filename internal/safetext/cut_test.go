package safetext

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
)

func TestCut(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		s     string
		limit int
		want  string
	}{
		{"", 0, ""}, {"abc", 3, "abc"}, {"abcd", 3, "abc"}, {"abcd", 0, ""}, {"aéb", 2, "a"}, {"aéb", 3, "aé"}, {"🎉🎉",
			7, "🎉"}, {"🎉", 3, ""},
		{strings.Repeat("\x80", 20), 10, strings.Repeat("\x80", 6)},
	} {
		text, more := Cut(c.s, c.limit)
		assert.Equal(t, c.want, text, "%q to %d", c.s, c.limit)
		assert.Equal(t, text != c.s, more, "%q to %d", c.s, c.limit)
	}
	assert.Equal(t, "abc", Ellipsis("abc", 3))
	assert.Equal(t, "ab…", Ellipsis("abé", 3))
}

func FuzzCut(f *testing.F) {
	f.Add("aé🎉", 3)
	f.Fuzz(func(t *testing.T, s string, limit int) {
		limit = max(0, limit)
		text, more := Cut(s, limit)
		if len(text) > limit || more == (text == s) || !strings.HasPrefix(s, text) {
			t.Errorf("%q is cut to %q at %d", s, text, limit)
		}
		if utf8.ValidString(s) && (!utf8.ValidString(text) || len(text) < min(len(s), limit)-utf8.UTFMax+1) {
			t.Errorf("%q is cut to %q at %d", s, text, limit)
		}
	})
}
