package submission

import (
	"bytes"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"pgregory.net/rapid"
)

// What looks at many bytes at a time finds what one would find that looks at
// each: the first bare line end, and whether all is ASCII.
func TestExamineByteByByte(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		piece := rapid.SampledFrom([]string{"\r\n", "\r\n", "\r", "\n", "a", ".", "seven..", "eight...", "\x7f", "\x80", "é"})
		var msg []byte
		for _, p := range rapid.SliceOfN(piece, 0, 20).Draw(rt, "pieces") {
			msg = append(msg, p...)
		}
		at, what := -1, ""
		for i, b := range msg {
			if b == '\n' && (i == 0 || msg[i-1] != '\r') {
				at, what = i, "LF"
			} else if b == '\r' && (i+1 == len(msg) || msg[i+1] != '\n') {
				at, what = i, "CR"
			}
			if at >= 0 {
				break
			}
		}
		gotAt, gotWhat := bareLineEnd(msg)
		assert.Equal(rt, at, gotAt, "%q", msg)
		assert.Equal(rt, what, gotWhat, "%q", msg)
		assert.Equal(rt, bytes.IndexFunc(msg, func(r rune) bool { return r >= utf8.RuneSelf }) < 0, ascii(msg), "%q", msg)
	})
}

func BenchmarkExamine(b *testing.B) {
	msg := bytes.Repeat([]byte("A line of seventy-six characters, as quoted-printable text likes to have it\r\n"), 72)
	env := Envelope{From: "boss@example.com", To: "guest@example.org"}
	b.SetBytes(int64(len(msg)))
	b.ReportAllocs()
	for b.Loop() {
		if _, e := examine(env, msg); e != nil {
			b.Fatal(e)
		}
	}
}
