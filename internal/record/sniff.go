package record

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
)

// sniff tells JSON Lines from JSON by the first line that is not blank, and
// returns a reader of the whole text. problem says why it is neither.
func sniff(in io.Reader) (f Format, whole io.Reader, problem string, err error) {
	var head []byte
	chunk := make([]byte, 4096)
	for {
		n, err := in.Read(chunk)
		head = append(head, chunk[:n]...)
		text := bytes.TrimLeft(bytes.TrimPrefix(head, bom), " \t\r\n")
		line, _, complete := bytes.Cut(text, []byte("\n"))
		if complete || err != nil || len(head) > MaxRecord {
			if err != nil && !errors.Is(err, io.EOF) {
				return "", nil, "cannot be read: " + err.Error(), err
			}
			f, problem = guess(line, complete || err != nil)
			return f, rejoin(head, in), problem, nil
		}
	}
}

// rejoin puts back what was read, by seeking where that is possible, since an
// array is read twice.
func rejoin(head []byte, in io.Reader) io.Reader {
	if s, ok := in.(io.Seeker); ok {
		if _, err := s.Seek(-int64(len(head)), io.SeekCurrent); err == nil {
			return in
		}
	}
	return io.MultiReader(bytes.NewReader(head), in)
}

func guess(line []byte, complete bool) (f Format, problem string) {
	switch {
	case len(line) == 0:
		return "", isEmpty
	case line[0] == '[':
		return JSON, ""
	case !complete: // longer than a record: a line of many
		return JSONLines, ""
	case json.Valid(line):
		return JSONLines, ""
	case line[0] == '{':
		return JSON, ""
	}
	return "", "is neither JSON nor JSON Lines; for CSV name the file .csv or give Options.Format=csv"
}
