package address_test

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/invitemailer/invitemailer/internal/address"
)

func TestCleanText(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ name, in, want string }{
		{"plain", "Board meeting", "Board meeting"},
		{"empty", "", ""},
		{"spaces around and runs of them", "  Board \t  meeting ", "Board meeting"},
		{"line ends become a space", "a\r\nBcc: b\rc\nd\u2028e\u2029f\u0085g\vh\fi", "a Bcc: b c d e f g h i"},
		{"controls go", "a\x00\x1b[31mb\x7f\u009bc", "a[31mbc"},
		{"all bidi controls go", "a\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069b", "ab"},
		{"right-to-left text stays", "\u202bישיבה\u202c", "ישיבה"},
		{"joined characters stay", "👩🏽‍🚀 e\u0301", "👩🏽‍🚀 e\u0301"},
		{"what is not UTF-8", "Zo\xeb", "Zo\ufffd"},
		{"nothing but controls", "\r\n\x00\u202e ", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, tc.want, address.CleanText(tc.in))
		})
	}
}

// Clean text is one valid line without controls, and cleaning it again changes nothing.
func TestCleanTextProperty(t *testing.T) {
	t.Parallel()
	text := rapid.OneOf(
		rapid.String(),
		rapid.StringOf(rapid.RuneFrom([]rune("ab \t\r\n\x00\u0085\u2028\u202e\u2069é"))),
		rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) string { return string(b) }),
	)
	rapid.Check(t, func(t *rapid.T) {
		s := address.CleanText(text.Draw(t, "text"))
		require.True(t, utf8.ValidString(s))
		require.Equal(t, -1, strings.IndexFunc(s, func(r rune) bool {
			return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == 0x2028 || r == 0x2029
		}))
		require.NotContains(t, s, "  ")
		require.Equal(t, strings.Trim(s, " "), s)
		require.Equal(t, s, address.CleanText(s))
	})
}

func TestCleanName(t *testing.T) {
	t.Parallel()
	own, err := address.Parse("ada@example.com")
	require.NoError(t, err)
	for _, tc := range []struct{ in, want string }{
		{"Ada Lovelace", "Ada Lovelace"},
		{"Lovelace, Ada", "Lovelace, Ada"},
		{" Ada\r\n", "Ada"},
		{"ada@example.com", "ada@example.com"},
		{"Ada (ADA@Example.com)", "Ada (ADA@Example.com)"},
		{"Ada @ Acme", "Ada @ Acme"},
		{"@ada", "@ada"},
		{"ceo@bank.example", ""},
		{"CEO <ceo@bank.example>", ""},
		{"CEO (ceo@bank.example)", ""},
		{"ceo＠bank.example", ""},
		{"ceo@bank\u200b.example", ""},
		{"ceo@\u202ebank.example", ""},
		{"ada@example.com ceo@bank.example", ""},
		{"ceo@bank.example.", ""},
	} {
		assert.Equal(t, tc.want, address.CleanName(tc.in, own), tc.in)
	}
	assert.Empty(t, address.CleanName("ada@example.com", address.Address{}), "no address is its own")
}

func BenchmarkCleanText(b *testing.B) {
	for name, s := range map[string]string{"plain": "Invitation: Board meeting",
		"mixed": "Einladung:\tVorstandssitzung\u202e über Pläne 🗓️"} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				address.CleanText(s)
			}
		})
	}
}
