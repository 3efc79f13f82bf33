package address_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/invitemailer/invitemailer/internal/address"
)

func TestParse(t *testing.T) {
	t.Parallel()
	label := strings.Repeat("d", 62)
	for _, tc := range []struct {
		in, wire, key string
		utf8          bool
	}{
		{in: "ada@example.com", wire: "ada@example.com", key: "ada@example.com"},
		{in: "Ada.Lovelace+tag@Example.COM", wire: "Ada.Lovelace+tag@example.com", key: "ada.lovelace+tag@example.com"},
		{in: "o'brien!#$%&*/=?^_`{|}~-@example.com", wire: "o'brien!#$%&*/=?^_`{|}~-@example.com",
			key: "o'brien!#$%&*/=?^_`{|}~-@example.com"},
		{in: "ada@localhost", wire: "ada@localhost", key: "ada@localhost"},
		{in: "Ada@BÜCHER.example", wire: "Ada@xn--bcher-kva.example", key: "ada@xn--bcher-kva.example"},
		{in: "ada@XN--BCHER-KVA.example", wire: "ada@xn--bcher-kva.example", key: "ada@xn--bcher-kva.example"},
		{in: "ada@例え。テスト", wire: "ada@xn--r8jz45g.xn--zckzah", key: "ada@xn--r8jz45g.xn--zckzah"},
		{in: "ada@l·l.example", wire: "ada@xn--ll-0ea.example", key: "ada@xn--ll-0ea.example"},
		{in: "ada@क्\u200dष.example", wire: "ada@xn--11b2ezcw70k.example", key: "ada@xn--11b2ezcw70k.example"},
		{in: "ada@カ・タ.example", wire: "ada@xn--lckxb3k.example", key: "ada@xn--lckxb3k.example"},
		{in: "o’brien@example.com", wire: "o’brien@example.com", key: "o’brien@example.com", utf8: true},
		{in: "ada@faß.example", wire: "ada@xn--fa-hia.example", key: "ada@xn--fa-hia.example"},
		{in: "José@example.com", wire: "José@example.com", key: "josé@example.com", utf8: true},
		{in: "Jose\u0301@example.com", wire: "Jose\u0301@example.com", key: "josé@example.com", utf8: true},
		{in: "İ@example.com", wire: "İ@example.com", key: "İ@example.com", utf8: true},
		{in: `"ada"@example.com`, wire: "ada@example.com", key: "ada@example.com"},
		{in: `"ada lovelace"@example.com`, wire: `"ada lovelace"@example.com`, key: `"ada lovelace"@example.com`},
		{in: `"a\da@\"x\\"@example.com`, wire: `"ada@\"x\\"@example.com`, key: `"ada@\"x\\"@example.com`},
		{in: strings.Repeat("l", 64) + "@example.com", wire: strings.Repeat("l", 64) + "@example.com",
			key: strings.Repeat("l", 64) + "@example.com"},
		{in: "a@" + strings.Join([]string{label, label, label, label}, "."), wire: "a@" + strings.Join([]string{label,
			label, label, label}, "."), key: "a@" + strings.Join([]string{label, label, label, label}, ".")},
	} {
		t.Run(tc.in, func(t *testing.T) {
			t.Parallel()
			a, err := address.Parse(tc.in)
			require.NoError(t, err)
			assert.Equal(t, tc.wire, a.String())
			assert.Equal(t, tc.key, a.Key())
			assert.Equal(t, tc.utf8, a.NeedsSMTPUTF8())
			assert.False(t, a.IsZero())
			assert.True(t, address.Equal(tc.in, tc.key))
		})
	}
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ in, says string }{
		{"", "empty"},
		{"secret", "no @"},
		{"@example.com", "nothing stands before the @"},
		{"secret@", "nothing follows the @"},
		{"secret@@example.com", "more than one @"},
		{"secret@x@example.com", "more than one @"},
		{".secret@example.com", "a dot too many"},
		{"secret.@example.com", "a dot too many"},
		{"se..cret@example.com", "a dot too many"},
		{"se cret@example.com", "a character that is not allowed"},
		{"secret(comment)@example.com", "a character that is not allowed"},
		{"Secret <secret@example.com>", "bare address"},
		{"<secret@example.com>", "bare address"},
		{"secret@example.com ", "bare address"},
		{" secret@example.com", "bare address"},
		{"secret@example.com, secret@example.net", "more than one @"},
		{"mailto:secret@example.com", "a character that is not allowed"},
		{"secret@example.com\r\nBcc: x@example.net", "more than one @"},
		{"secret\r\nBcc:x@example.com", "a character that is not allowed"},
		{"secret\x00@example.com", "a character that is not allowed"},
		{"secret\u202e@example.com", "a character that is not allowed"},
		{"secret\u00a0@example.com", "a character that is not allowed"},
		{"secret\u200b@example.com", "a character that is not allowed"},
		{"secret\xff@example.com", "UTF-8"},
		{`"secret@example.com`, "quotes"},
		{`"sec"ret"@example.com`, "quotes"},
		{`""@example.com`, "quotes"},
		{`"secret\"@example.com`, "quotes"},
		{"\"sec\r\nret\"@example.com", "quotes"},
		{"secret@[192.0.2.1]", "address literal"},
		{"“secret@example.com”", "a character that no domain name has"},
		{"‘secret@example.com’", "a character that no domain name has"},
		{"„secret@example.com“", "a character that no domain name has"},
		{"secret@example.com…", "not a valid domain name"},
		{"secret@exam–ple.com", "a character that no domain name has"},
		{"secret@i❤.ws", "a character that no domain name has"},
		{"secret@xn--i-7iq.ws", "a character that no domain name has"},
		{"“secret@example.com", "a character that is not allowed"},
		{"”secret”@example.com", "a character that is not allowed"},
		{"„secret@example.com", "a character that is not allowed"},
		{"«secret@example.com", "a character that is not allowed"},
		{"secret@example..com", "a dot too many"},
		{"secret@.example.com", "a dot too many"},
		{"secret@example.com.", "a dot too many"},
		{"secret@exa_mple.com", "not a valid domain name"},
		{"secret@-example.com", "not a valid domain name"},
		{"secret@xn--a.example", "not a valid domain name"},
		{"secret@" + strings.Repeat("d", 64) + ".example", "longer than 63"},
		{strings.Repeat("secret", 11) + "@example.com", "longer than 64"},
		{"secret@" + strings.Repeat("d.", 127) + "dd", "longer than 255"},
		{"secret@" + strings.Repeat("d.", 1<<20) + "dd", "longer than 255"},
		{"secret@" + strings.Repeat("d.", 125) + "d", "longer than 254"},
	} {
		name := tc.in
		if len(name) > 80 {
			name = name[:80]
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a, err := address.Parse(tc.in)
			var e *address.Error
			require.ErrorAs(t, err, &e)
			assert.True(t, a.IsZero())
			assert.NotContains(t, err.Error(), "secret", "the local part is not repeated")
			assert.Less(t, len(err.Error()), 400)
			assert.False(t, address.Equal(tc.in, tc.in))
			if !strings.Contains(err.Error(), tc.says) {
				t.Errorf("%q does not say %q", err, tc.says)
			}
		})
	}
}

func TestZeroAddress(t *testing.T) {
	t.Parallel()
	var a address.Address
	assert.True(t, a.IsZero())
	assert.Empty(t, a.String())
	assert.Empty(t, a.Key())
	assert.False(t, a.NeedsSMTPUTF8())
}

func TestEqual(t *testing.T) {
	t.Parallel()
	assert.True(t, address.Equal("Ada@Bücher.example", `"ADA"@xn--bcher-kva.EXAMPLE`))
	assert.False(t, address.Equal("ada@example.com", "ada@example.net"))
	assert.False(t, address.Equal("ı@example.com", "i@example.com"), "letters of other alphabets stay themselves")
}

// Whatever is taken for an address is safe on the wire, and reading it again gives the same.
func FuzzParse(f *testing.F) {
	for _, s := range []string{"ada@example.com", `"a\"b c"@example.com`, "josé@bücher.example", "a@b@c", "a@[::1]",
		"İ@xn--a.com"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		a, err := address.Parse(s)
		if err != nil {
			var e *address.Error
			require.ErrorAs(t, err, &e)
			return
		}
		require.LessOrEqual(t, len(a.String()), address.MaxAddress)
		require.False(t, strings.ContainsAny(a.String(), "\r\n\x00"))
		require.False(t, strings.ContainsAny(a.Domain(), " <>@\"\\"))
		require.Equal(t, strings.ToLower(a.Domain()), a.Domain())
		again, err := address.Parse(a.String())
		require.NoError(t, err)
		require.Equal(t, a, again)
		require.Equal(t, a.Key(), again.Key())
	})
}

func BenchmarkParse(b *testing.B) {
	for name, s := range map[string]string{"ascii": "Ada.Lovelace@Example.com", "idn": "ada@bücher.example",
		"long": strings.Repeat("a@", 1<<17)} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_, _ = address.Parse(s) // The long one is refused, which must be quick as well.
			}
		})
	}
}
