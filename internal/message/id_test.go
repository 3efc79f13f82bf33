package message_test

import (
	"crypto/sha256"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/invitemailer/invitemailer/internal/message"
)

// The ID of a revision must never change: it is how a mail that was submitted twice is known for
// one.
func TestIDIsPinned(t *testing.T) {
	t.Parallel()
	sum := sha256.Sum256([]byte("calendar"))
	assert.Equal(t, "ivz6nejbqwnhbzun32n3asuti63cuiazjxh6yquiv6wocqzkwl5a@myapplication.example",
		message.ID("your-unique-identifier-for-invite", "cronofy@example.com", "REQUEST", sum, 0,
			"myapplication.example"))
	assert.Equal(t, "aulgoj3sorduficwo4lmjrm3u4i2kkqjsuuvsqbru3xexb2oflua@myapplication.example",
		message.ID("your-unique-identifier-for-invite", "cronofy@example.com", "REQUEST", sum, 1,
			"myapplication.example"))
}

func TestIDShowsNoAddress(t *testing.T) {
	t.Parallel()
	id := message.ID("1", "ada@example.com", "REQUEST", [32]byte{}, 0, "myapplication.example")
	left, right, _ := strings.Cut(id, "@")
	assert.Equal(t, "myapplication.example", right)
	assert.Len(t, left, 52)
	assert.Equal(t, strings.ToLower(left), left)
}

// Different tuples have different IDs, also when one field ends where another begins.
func TestIDTellsTuplesApart(t *testing.T) {
	t.Parallel()
	type tuple struct {
		id, recipient, method string
		sum                   byte
		resend                int
	}
	draw := func(t *rapid.T, label string) tuple {
		short := rapid.StringOfN(rapid.RuneFrom([]rune("ab1")), 0, 3, -1)
		return tuple{short.Draw(t, label+" id"), short.Draw(t, label+" recipient"), short.Draw(t, label+" method"),
			rapid.ByteRange(0, 1).Draw(t, label+" sum"), rapid.IntRange(0, 12).Draw(t, label+" resend")}
	}
	id := func(x tuple) string {
		return message.ID(x.id, x.recipient, x.method, [32]byte{x.sum}, x.resend, "d.example")
	}
	rapid.Check(t, func(t *rapid.T) {
		a, b := draw(t, "a"), draw(t, "b")
		require.Equal(t, a == b, id(a) == id(b))
	})
}

func BenchmarkID(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		message.ID("your-unique-identifier-for-invite", "cronofy@example.com", "REQUEST", [32]byte{}, 0,
			"myapplication.example")
	}
}
