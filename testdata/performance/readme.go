package main

import (
	"bytes"
	"fmt"
)

const (
	begin = "<!-- made by testdata/performance/run, from here -->\n"
	end   = "<!-- to here -->\n"
)

var errMarkers = fmt.Errorf("the lines between which the table stands are missing: %q and %q", begin, end)

// between puts text between the markers.
func between(file []byte, text string) ([]byte, error) {
	from := bytes.Index(file, []byte(begin))
	if from < 0 {
		return nil, errMarkers
	}
	from += len(begin)
	to := bytes.Index(file[from:], []byte(end))
	if to < 0 {
		return nil, errMarkers
	}
	var b bytes.Buffer
	b.Write(file[:from])
	b.WriteString(text)
	b.Write(file[from+to:])
	return b.Bytes(), nil
}
