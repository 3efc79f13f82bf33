package record

import (
	"fmt"
	"io"
)

func (r *reader) readJSON(in io.Reader) bool {
	b, err := io.ReadAll(in)
	if err != nil {
		return r.fail(0, fmt.Sprintf("cannot be read: %v", err), err)
	}
	return r.yield(r.record(b, 1, 1))
}
