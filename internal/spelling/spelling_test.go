package spelling

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestDistance(t *testing.T) {
	t.Parallel()
	const limit = 4
	for _, c := range []struct {
		a, b string
		want int
	}{
		{"", "", 0},
		{"abc", "abc", 0},
		{"", "abc", 3},
		{"abc", "", 3},
		{"kitten", "sitting", 3},
		{"SMTP_HSOT", "SMTP_HOST", 1},
		{"abcd", "wxyz", limit},
		{"abcdef", "uvwxyz", limit},
		{"a", "abcdefgh", limit},
	} {
		assert.Equal(t, c.want, Distance(c.a, c.b, limit), "%s to %s", c.a, c.b)
	}
}

func TestNearest(t *testing.T) {
	t.Parallel()
	known := []string{"MAIL_FROM", "MAIL_FORMAT", "SMTP_HOST", "SMTP_POST"}
	for name, want := range map[string]int{"MAIL_FORM": 0, "MAIL_FORMA": 1, "SMTP_HSOT": 2, "SMTP_MOST": 2,
		"SMTP_POSTS": 3, "TZ": -1, "": -1} {
		assert.Equal(t, want, Nearest(name, known, 3), name)
	}
	assert.Equal(t, -1, Nearest("a", nil, 3))
}
