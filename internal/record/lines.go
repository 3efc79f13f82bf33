package record

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// sniff tells JSON Lines from JSON by the first line that is not blank. problem says why it is
// neither.
func sniff(in *bufio.Reader) (f Format, problem string, err error) {
	for {
		_, err := in.Peek(in.Buffered() + 1) // waits for no more than there is
		head, _ := in.Peek(in.Buffered())
		line, _, complete := bytes.Cut(bytes.TrimLeft(head, space), []byte("\n"))
		switch {
		case err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, bufio.ErrBufferFull):
			return "", "cannot be read: " + err.Error(), err
		case complete || err != nil:
			f, problem = guess(line, complete || errors.Is(err, io.EOF))
			return f, problem, nil
		}
	}
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

// nextLine returns the next line without its end; it is valid until the next call. Of a line that
// is too long nothing is kept. The error is io.EOF after the last line.
func nextLine(in *bufio.Reader) (line []byte, tooLong bool, err error) {
	line, err = in.ReadSlice('\n')
	for errors.Is(err, bufio.ErrBufferFull) {
		tooLong = true
		_, err = in.ReadSlice('\n')
	}
	if errors.Is(err, io.EOF) && len(line) > 0 {
		err = nil // the last line needs no end
	}
	line = bytes.TrimSuffix(bytes.TrimSuffix(line, []byte("\n")), []byte("\r"))
	return line, tooLong || len(line) > MaxRecord, err
}

// readLines reads JSON Lines: one record a line, blank lines skipped.
func (r *reader) readLines(in *bufio.Reader) bool {
	empty := true
	for number := 1; ; number++ {
		text, tooLong, err := nextLine(in)
		switch {
		case errors.Is(err, io.EOF):
			return !empty || r.giveUp(0, isEmpty, nil)
		case err != nil:
			return r.giveUp(number, fmt.Sprintf("cannot be read any further: %v; what follows was not read", err), err)
		case tooLong:
			empty = false
			if !r.fail(number, tooLongLine) {
				return false
			}
		case number == 1 && bytes.IndexByte(text, 0) >= 0:
			return r.giveUp(1, "this is not text in UTF-8; save the file as UTF-8", nil)
		case len(bytes.TrimLeft(text, space)) > 0:
			item := r.record(text, position{number, 1})
			if empty && item.Err != nil && unfinished(text) {
				item.Err.Message += "; in JSON Lines a record stands on one line: for one over several lines name the file .json"
			}
			empty = false
			if !r.yield(item) {
				return false
			}
		}
	}
}

var tooLongLine = fmt.Sprintf("the record is longer than %d octets; shorten it, or check that a line end is not missing", MaxRecord)

// unfinished reports whether a line goes on in the next, as the first one does of a record that is
// laid out for people.
func unfinished(line []byte) bool {
	line = bytes.TrimRight(line, " \t")
	return bytes.IndexByte([]byte("{[,"), line[len(line)-1]) >= 0
}
