package record

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
)

// lineReader hands out the lines of a text, none of them longer than MaxRecord.
type lineReader struct {
	in   *bufio.Reader
	buf  []byte
	line int // number of the latest line
}

func newLineReader(in io.Reader) *lineReader {
	return &lineReader{in: bufio.NewReaderSize(in, 64<<10)}
}

// next returns the next line without its end; it is valid until the next call.
// Of a line that is too long nothing is kept. The error is io.EOF after the last
// line.
func (l *lineReader) next() (line []byte, tooLong bool, err error) {
	l.buf = l.buf[:0]
	l.line++
	for {
		piece, err := l.in.ReadSlice('\n')
		if !tooLong && len(l.buf)+len(piece) > MaxRecord+2 {
			tooLong, l.buf = true, l.buf[:0]
		}
		whole := err == nil && len(l.buf) == 0
		switch {
		case tooLong:
		case whole:
			return l.trim(piece)
		default:
			l.buf = append(l.buf, piece...)
		}
		switch {
		case err == nil, errors.Is(err, io.EOF) && (len(l.buf) > 0 || tooLong):
			if tooLong {
				return nil, true, nil
			}
			return l.trim(l.buf)
		case !errors.Is(err, bufio.ErrBufferFull):
			return nil, false, err
		}
	}
}

func (l *lineReader) trim(line []byte) ([]byte, bool, error) {
	line = bytes.TrimSuffix(line, []byte("\n"))
	line = bytes.TrimSuffix(line, []byte("\r"))
	if l.line == 1 {
		line = bytes.TrimPrefix(line, bom)
	}
	return line, len(line) > MaxRecord, nil
}

// bom is the byte order mark that some programs write before UTF-8.
var bom = []byte("\xef\xbb\xbf")

// readLines reads JSON Lines: one record a line, blank lines skipped.
func (r *reader) readLines(in io.Reader) bool {
	lines := newLineReader(in)
	empty := true
	for {
		text, tooLong, err := lines.next()
		switch {
		case errors.Is(err, io.EOF):
			if empty {
				return r.giveUp(0, isEmpty, nil)
			}
			return true
		case err != nil:
			return r.giveUp(lines.line, fmt.Sprintf("cannot be read any further: %v; what follows was not read", err),
				err)
		case tooLong:
			empty = false
			if !r.fail(lines.line, tooLongLine, nil) {
				return false
			}
		case lines.line == 1 && bytes.IndexByte(text, 0) >= 0:
			return r.giveUp(1, "this is not text in UTF-8; save the file as UTF-8", nil)
		case len(bytes.TrimLeft(text, " \t\r")) > 0:
			item := r.record(text, position{lines.line, 1})
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

// unfinished reports whether a line goes on in the next, as the first one does of
// a record that somebody laid out for people.
func unfinished(line []byte) bool {
	line = bytes.TrimRight(line, " \t")
	return bytes.IndexByte([]byte("{[,"), line[len(line)-1]) >= 0
}
