package record

import (
	"errors"
	"io"
)

// ahead is how much of a file is read at once, in octets.
const ahead = 64 << 10

var errTooLong = errors.New("too long")

// boundedReader reads no more than it was allowed, so that what reads a record from
// it keeps no more than that in memory.
type boundedReader struct {
	in   io.Reader
	left int
}

// allow allows n octets from here on.
func (b *boundedReader) allow(n int) { b.left = n }

func (b *boundedReader) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errTooLong
	}
	n, err := b.in.Read(p[:min(len(p), b.left)])
	b.left -= n
	return n, err
}
