package lint

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"
)

// Messages yields the messages of an mbox file one by one (RFC 4155), and anything else as the one
// message or calendar that it is. So a caller need not know what a file holds. At most one message
// is in memory, and no more of it than [MaxSize] and one octet, so that [Check] can tell that it
// was longer. The slice is the caller's to keep. An error ends the sequence; what was read before
// it is yielded first.
//
// A message begins at a line such as "From ada@example.com Thu Apr  1 12:00:00 2027" that comes
// first or after an empty line. That line is left out. One ">" goes from lines that begin with
// ">From ", ">>From " and so on.
func Messages(r io.Reader) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		m := mboxReader{in: bufio.NewReaderSize(r, 64<<10)}
		for n := 0; ; n++ {
			message, err := m.next()
			// Of nothing, too, somebody wants to hear.
			if (len(message) > 0 || n == 0 && errors.Is(err, io.EOF)) && !yield(message, nil) {
				return
			}
			if errors.Is(err, io.EOF) {
				return
			}
			if err != nil {
				yield(nil, fmt.Errorf("reading the messages: %w", err))
				return
			}
		}
	}
}

// mboxReader cuts its input into messages.
type mboxReader struct {
	in    *bufio.Reader
	begun bool // the first line was read
	mbox  bool // it was a separator
}

// next returns the next message, and io.EOF with the last one.
func (m *mboxReader) next() ([]byte, error) {
	var message []byte
	empty := true // the line before was empty, or there is none
	start := true // of a line
	for {
		line, err := m.in.ReadSlice('\n')
		if start && (m.mbox || !m.begun) && empty && isSeparator(line) {
			first := !m.begun
			m.begun, m.mbox = true, true
			if first || len(message) == 0 {
				empty = false
				if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
					return nil, err
				}
				continue
			}
			return withoutLastLine(message), nil
		}
		m.begun = true
		if start && len(line) > 0 {
			empty = len(bytes.TrimRight(line, "\r\n")) == 0
			if m.mbox && isQuoted(line) {
				line = line[1:]
			}
		}
		if room := MaxSize + 1 - len(message); room > 0 {
			message = append(message, line[:min(room, len(line))]...)
		}
		start = !errors.Is(err, bufio.ErrBufferFull)
		if start && err != nil {
			if m.mbox && empty {
				message = withoutLastLine(message)
			}
			return message, err
		}
	}
}

// isSeparator reports whether a line begins a message: "From ", a sender and a date with a clock
// time.
func isSeparator(line []byte) bool {
	rest, ok := bytes.CutPrefix(line, []byte("From "))
	if !ok || len(line) > 500 {
		return false
	}
	colons := 0
	for i := 1; i+1 < len(rest); i++ {
		if rest[i] == ':' && isDigit(rest[i-1]) && isDigit(rest[i+1]) {
			colons++
		}
	}
	return colons >= 1 && len(bytes.Fields(rest)) >= 5
}

// isQuoted reports whether a line is "From " behind one or more ">".
func isQuoted(line []byte) bool {
	return len(line) > 0 && line[0] == '>' && bytes.HasPrefix(bytes.TrimLeft(line, ">"), []byte("From "))
}

// withoutLastLine removes the empty line that an mbox file has between messages.
func withoutLastLine(message []byte) []byte {
	if len(message) > MaxSize {
		return message // cut off: that it is too long must still be seen
	}
	message = bytes.TrimSuffix(message, []byte("\n"))
	return bytes.TrimSuffix(message, []byte("\r"))
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }
