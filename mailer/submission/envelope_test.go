package submission

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"pgregory.net/rapid"
)

// The first bare line end is found.
func TestExamineByteByByte(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		piece := rapid.SampledFrom(
			[]string{"\r\n", "\r\n", "\r", "\n", "a", ".", "seven..", "eight...", "\x7f", "\x80", "é"},
		)
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
	})
}
