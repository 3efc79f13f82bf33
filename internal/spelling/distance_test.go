package spelling

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestDistance(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		a, b        string
		limit, want int
	}{
		{"", "", 9, 0}, {"abc", "abc", 9, 0}, {"", "abc", 9, 3}, {"abc", "", 9, 3}, {"kitten", "sitting", 9, 3},
		{"SMTP_HSOT", "SMTP_HOST", 9, 1}, {"ab", "ba", 9, 1}, {"abc", "acb", 9, 1}, {"abcd", "bacd", 9, 1},
		{"kitten", "sitting", 2, 2}, {"a", "abcdef", 2, 2}, {"abc", "xyz", 0, 0},
	} {
		assert.Equal(t, c.want, Distance(c.a, c.b, c.limit), "%s to %s", c.a, c.b)
		assert.Equal(t, c.want, Distance(c.b, c.a, c.limit), "%s to %s", c.b, c.a)
	}
}
