package record

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"unicode/utf8"
)

// readJSON reads one object or an array of them, twice: first for its syntax
// alone, so that nothing is handed out of a text that is wrong somewhere.
func (r *reader) readJSON(in io.Reader) bool {
	text, begin, cleanUp, err := rereadable(in)
	if err != nil {
		return r.giveUp(0, fmt.Sprintf("cannot be read: %v; check where it comes from", err), err)
	}
	defer cleanUp()

	var wrong *flaw
	err = newSplitter(text).each(func(p piece) bool {
		wrong = p.check()
		return wrong == nil
	})
	if wrong == nil && err != nil && !errors.As(err, &wrong) {
		return r.giveUp(0, fmt.Sprintf("cannot be read: %v; nothing of it is sent", err), err)
	}
	if wrong != nil && wrong.message == isEmpty {
		return r.giveUp(0, isEmpty, nil)
	}
	if wrong != nil {
		return r.fail(wrong.line, wrong.Error()+"; nothing of this file is sent", wrong)
	}

	if _, err := text.Seek(begin, io.SeekStart); err != nil {
		return r.giveUp(0, fmt.Sprintf("cannot be read a second time: %v; nothing of it is sent", err), err)
	}
	more := true
	err = newSplitter(text).each(func(p piece) bool {
		if p.tooLong {
			more = r.fail(p.line, tooLongLine, nil)
		} else {
			more = r.yield(r.record(p.text, p.line, p.column))
		}
		return more
	})
	if err != nil {
		return r.giveUp(0, fmt.Sprintf("was changed while it was read: %v; run again with the whole file", err), err)
	}
	return more
}

// rereadable returns a text that can be read again from begin on: itself if it
// can seek, else a copy.
func rereadable(in io.Reader) (text io.ReadSeeker, begin int64, cleanUp func(), err error) {
	if s, ok := in.(io.ReadSeeker); ok {
		if at, err := s.Seek(0, io.SeekCurrent); err == nil {
			return s, at, func() {}, nil
		}
	}
	var short bytes.Buffer
	if _, err := io.CopyN(&short, in, MaxRecord); errors.Is(err, io.EOF) {
		return bytes.NewReader(short.Bytes()), 0, func() {}, nil
	} else if err != nil {
		return nil, 0, nil, err
	}
	f, err := os.CreateTemp("", "invites-*.json")
	if err != nil {
		return nil, 0, nil, fmt.Errorf("it has to be copied to be read twice: %w", err)
	}
	cleanUp = func() {
		_ = f.Close()
		_ = os.Remove(f.Name())
	}
	if _, err = io.Copy(f, io.MultiReader(&short, in)); err == nil {
		_, err = f.Seek(0, io.SeekStart)
	}
	if err != nil {
		cleanUp()
		return nil, 0, nil, fmt.Errorf("while it was copied to be read twice: %w", err)
	}
	return f, 0, cleanUp, nil
}

// flaw is a mistake in the syntax of a whole text.
type flaw struct {
	message string
	line    int
	column  int
}

func (f *flaw) Error() string {
	return located(f.message, fmt.Sprintf("line %d, column %d", f.line, f.column))
}

// piece is the text of one record in an array.
type piece struct {
	text    []byte // valid until the next one
	line    int    // where it begins
	column  int
	tooLong bool // text is only its beginning
}

func (p piece) check() *flaw {
	if p.tooLong && json.Valid(p.text) { // by chance: it is cut off
		return nil
	}
	at, message := syntaxProblem(p.text)
	if message == "" || p.tooLong && at >= len(p.text)-utf8.UTFMax {
		return nil
	}
	f := &flaw{message: message}
	f.line, f.column = place{text: string(p.text), line: p.line, column: p.column}.position(at)
	return f
}

// splitter takes an array apart into the texts of its elements. It looks at
// brackets, quotes and commas alone; whether an element is JSON is for piece's
// check to say. One element is kept, and no more of it than MaxRecord.
type splitter struct {
	in     *bufio.Reader
	buf    []byte
	line   int // of the next octet
	column int // the characters before it in its line, and one
}

func newSplitter(in io.Reader) *splitter {
	s := &splitter{in: bufio.NewReaderSize(in, 64<<10), line: 1, column: 1}
	if head, _ := s.in.Peek(len(bom)); bytes.Equal(head, bom) {
		_, _ = s.in.Discard(len(bom))
	}
	return s
}

func (s *splitter) flaw(format string, args ...any) *flaw {
	return &flaw{message: fmt.Sprintf(format, args...), line: s.line, column: s.column}
}

// each calls yield for every element until it returns false. The error is a
// *flaw, or from reading.
func (s *splitter) each(yield func(piece) bool) error {
	c, err := s.peek()
	if errors.Is(err, io.EOF) {
		return s.flaw(isEmpty)
	}
	if err != nil {
		return err
	}
	if c != '[' {
		p, err := s.element()
		if err != nil || !yield(p) {
			return err
		}
		return s.end("more follows the first record; for several records write an array, or one record a line as JSON Lines (.jsonl)")
	}
	s.skip()
	for first := true; ; first = false {
		c, err := s.peek()
		if err != nil {
			return s.unfinished(err)
		}
		switch {
		case c == ']':
			s.skip()
			return s.end("more follows the end of the array; leave it out")
		case first:
		case c != ',':
			return s.flaw("this is not JSON: a comma is missing between two records; add it")
		default:
			s.skip()
			if c, err = s.peek(); err != nil {
				return s.unfinished(err)
			}
			if c == ']' || c == ',' {
				return s.flaw("this is not JSON: no record follows the comma; leave it out")
			}
		}
		p, err := s.element()
		if err != nil {
			return err
		}
		if !yield(p) {
			return nil
		}
	}
}

func (s *splitter) unfinished(err error) error {
	if errors.Is(err, io.EOF) {
		return s.flaw("this is not JSON: the array is not closed with ]; is the file cut off?")
	}
	return err
}

// end makes sure that nothing but space follows.
func (s *splitter) end(otherwise string) error {
	switch _, err := s.peek(); {
	case errors.Is(err, io.EOF):
		return nil
	case err != nil:
		return err
	}
	return s.flaw("%s", otherwise)
}

// peek returns the next octet that is no space, and stays before it.
func (s *splitter) peek() (byte, error) {
	for {
		head, err := s.in.Peek(1)
		if err != nil {
			return 0, err
		}
		switch head[0] {
		case ' ', '\t', '\r', '\n':
			s.skip()
		default:
			return head[0], nil
		}
	}
}

// skip passes over the next octet, which was seen before.
func (s *splitter) skip() {
	c, _ := s.in.ReadByte()
	s.count(c)
}

func (s *splitter) count(c byte) {
	switch {
	case c == '\n':
		s.line, s.column = s.line+1, 1
	case utf8.RuneStart(c):
		s.column++
	}
}

// element reads the value that begins here.
func (s *splitter) element() (piece, error) {
	p := piece{line: s.line, column: s.column}
	s.buf = s.buf[:0]
	depth, inString, escaped := 0, false, false
	for {
		if _, err := s.in.Peek(1); errors.Is(err, io.EOF) {
			break // what is missing shows in the check
		} else if err != nil {
			return piece{}, err
		}
		chunk, _ := s.in.Peek(s.in.Buffered())
		n, done := 0, false
		for n < len(chunk) && !done {
			c := chunk[n]
			switch {
			case escaped:
				escaped = false
			case inString:
				escaped, inString = c == '\\', c != '"'
				done = !inString && depth == 0
			case c == '"':
				inString = true
			case c == '{' || c == '[':
				depth++
			case depth > 0:
				if c == '}' || c == ']' {
					depth--
					done = depth == 0
				}
			case c == ',' || c == ']' || c == ' ' || c == '\t' || c == '\r' || c == '\n':
				done = true
				continue // it does not belong to the value
			}
			s.count(c)
			n++
		}
		kept := min(n, MaxRecord-len(s.buf))
		p.tooLong = p.tooLong || kept < n
		s.buf = append(s.buf, chunk[:kept]...)
		_, _ = s.in.Discard(n)
		if done {
			break
		}
	}
	p.text = s.buf
	return p, nil
}
