package lint

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"
	"regexp"
)

// Messages yields the messages of an mbox file one by one (RFC 4155), and anything else as the one
// message or calendar that it is, an empty file too. So a caller need not know what a file holds. At
// most one message is in memory, and no more of it than [MaxSize] and one octet, so that [Check] can
// tell that it was longer. The slice is the caller's to keep. An error ends the sequence; what was
// read before it is yielded first.
//
// A message begins at a line such as "From ada@example.com Thu Apr  1 12:00:00 2027" that comes
// first or after an empty line. That line is left out. One ">" goes from lines that begin with
// ">From ", ">>From " and so on.
func Messages(r io.Reader) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		m := mboxReader{in: bufio.NewReaderSize(r, 64<<10)}
		for n := 0; ; n++ {
			message, err := m.next()
			atEnd := errors.Is(err, io.EOF)
			if (len(message) > 0 || n == 0 && atEnd) && !yield(message, nil) || atEnd {
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

var (
	// separator begins a message: "From ", a sender and a date with a clock time.
	separator = regexp.MustCompile(`^From .*[0-9]:[0-9]`)
	// quotedFrom is "From " at the beginning of a line of a message.
	quotedFrom = regexp.MustCompile(`^>+From `)
)

// next returns the next message, and io.EOF with the last one.
func (m *mboxReader) next() ([]byte, error) {
	var message []byte
	empty := true // the line before was empty, or there is none
	start := true // of a line
	for {
		line, err := m.in.ReadSlice('\n')
		if start && empty && (m.mbox || !m.begun) && isSeparator(line) {
			if m.begun && len(message) > 0 {
				return withoutLastLine(message), nil
			}
			m.mbox, empty, line = true, false, nil
		} else if start && len(line) > 0 {
			empty = len(bytes.TrimRight(line, "\r\n")) == 0
			if m.mbox && quotedFrom.Match(line) {
				line = line[1:]
			}
		}
		m.begun = true
		message = append(message, line[:min(len(line), MaxSize+1-len(message))]...)
		start = !errors.Is(err, bufio.ErrBufferFull)
		if start && err != nil {
			if m.mbox && empty {
				message = withoutLastLine(message)
			}
			return message, err
		}
	}
}

func isSeparator(line []byte) bool {
	return len(line) <= 500 && separator.Match(line) && len(bytes.Fields(line)) >= 6
}

// withoutLastLine removes the empty line that an mbox file has between messages.
func withoutLastLine(message []byte) []byte {
	if len(message) > MaxSize {
		return message // cut off: that it is too long must still be seen
	}
	return bytes.TrimSuffix(bytes.TrimSuffix(message, []byte("\n")), []byte("\r"))
}
