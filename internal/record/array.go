package record

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/go-json-experiment/json/jsontext"
)

// readJSON reads one object or an array of them, twice: first for its syntax
// alone, so that nothing is handed out of a text that is wrong somewhere.
func (r *reader) readJSON(in io.Reader) bool {
	text, begin, cleanUp, err := rereadable(in)
	if err != nil {
		return r.giveUp(0, fmt.Sprintf("cannot be read: %v; check where it comes from", err), err)
	}
	defer cleanUp()

	err = newArrayReader(text).each(func(element) bool { return true })
	var wrong *syntaxError
	switch {
	case errors.Is(err, io.EOF):
		return r.giveUp(0, isEmpty, nil)
	case errors.As(err, &wrong):
		return r.fail(wrong.line, wrong.Error()+"; nothing of this file is sent", wrong)
	case err != nil:
		return r.giveUp(0, fmt.Sprintf("cannot be read: %v; nothing of it is sent", err), err)
	}

	if _, err := text.Seek(begin, io.SeekStart); err != nil {
		return r.giveUp(0, fmt.Sprintf("cannot be read a second time: %v; nothing of it is sent", err), err)
	}
	more := true
	err = newArrayReader(text).each(func(e element) bool {
		if e.text == nil {
			more = r.fail(e.line, tooLongLine, nil)
		} else {
			more = r.yield(r.record(e.text, e.position))
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

// syntaxError is a mistake in the syntax of a whole text.
type syntaxError struct {
	message string
	position
}

func (e *syntaxError) Error() string { return located(e.message, e.String()) }

// element is one record of an array.
type element struct {
	position        // at which it begins
	text     []byte // valid until the next one; nil if it is longer than MaxRecord
}

// arrayReader reads the elements of an array, or a single one without an array, one
// at a time.
type arrayReader struct {
	bounded *boundedReader
	in      *jsontext.Decoder
	end     position // of what the decoder has read
}

// longestToken is the length of the longest string or space in a record that is
// too long, in octets: it has to be in memory to be read past.
const longestToken = 16 * MaxRecord

func newArrayReader(in io.Reader) *arrayReader {
	buffered := bufio.NewReaderSize(in, ahead)
	if head, _ := buffered.Peek(len(bom)); bytes.Equal(head, bom) {
		_, _ = buffered.Discard(len(bom))
	}
	bounded := &boundedReader{in: buffered}
	return &arrayReader{
		bounded: bounded,
		in:      jsontext.NewDecoder(bounded, jsontext.AllowDuplicateNames(true)),
		end:     position{1, 1},
	}
}

// each calls yield for every element until it returns false. The error is io.EOF if
// there is nothing, a *syntaxError, or from reading.
func (a *arrayReader) each(yield func(element) bool) error {
	kind, begin := a.next()
	if kind != jsontext.KindBeginArray {
		e, err := a.element(begin)
		if err != nil || !yield(e) {
			return err
		}
		return a.finish("more follows the first record; for several records write an array, or one record a line as JSON Lines (.jsonl)")
	}
	if err := a.skipToken(); err != nil {
		return err
	}
	for kind, begin = a.next(); kind != jsontext.KindEndArray; kind, begin = a.next() {
		e, err := a.element(begin)
		if err != nil || !yield(e) {
			return err
		}
	}
	if err := a.skipToken(); err != nil {
		return err
	}
	return a.finish("more follows the end of the array; leave it out")
}

// next returns the kind of the next token, and where it begins. The error of an
// invalid one comes when it is read.
func (a *arrayReader) next() (jsontext.Kind, position) {
	a.bounded.allow(longestToken)
	kind := a.in.PeekKind()
	rest := a.in.UnreadBuffer()
	between := len(rest) - len(bytes.TrimLeft(rest, space+",:"))
	return kind, a.end.after(rest[:between])
}

// element reads the value that begins there.
func (a *arrayReader) element(begin position) (element, error) {
	a.bounded.allow(MaxRecord + ahead)
	text, err := a.in.ReadValue()
	switch {
	case errors.Is(err, errTooLong): // the decoder stays before the value
		return element{position: begin}, a.skipValue()
	case err != nil:
		return element{}, a.explain(err)
	}
	a.end = begin.after(text)
	if len(text) > MaxRecord {
		text = nil
	}
	return element{begin, text}, nil
}

// skipValue reads past a value of any length.
func (a *arrayReader) skipValue() error {
	for depth := a.in.StackDepth(); ; {
		if err := a.skipToken(); err != nil {
			return err
		}
		if a.in.StackDepth() == depth {
			return nil
		}
	}
}

func (a *arrayReader) skipToken() error {
	var (
		kind, begin = a.next()
		text        = []byte{byte(kind)}
		err         error
	)
	switch kind {
	case jsontext.KindBeginObject, jsontext.KindEndObject, jsontext.KindBeginArray, jsontext.KindEndArray:
		_, err = a.in.ReadToken()
	default:
		text, err = a.in.ReadValue()
	}
	if err != nil {
		return a.explain(err)
	}
	a.end = begin.after(text)
	return nil
}

// finish makes sure that nothing but space follows.
func (a *arrayReader) finish(otherwise string) error {
	_, begin := a.next()
	_, err := a.in.ReadToken()
	var wrong *jsontext.SyntacticError
	switch {
	case errors.Is(err, io.EOF):
		return nil
	case err == nil, errors.As(err, &wrong):
		return &syntaxError{otherwise, begin}
	}
	return err
}

// explain turns an error of the decoder into one in words, with its place.
func (a *arrayReader) explain(err error) error {
	var wrong *jsontext.SyntacticError
	switch {
	case errors.Is(err, errTooLong):
		return &syntaxError{tooLongLine, a.end}
	case !errors.As(err, &wrong):
		return err
	}
	unread := a.in.UnreadBuffer()
	at := wrong.ByteOffset - a.in.InputOffset()
	message := syntaxProblem(wrong, unread[at:])
	if a.in.StackDepth() > 0 && errors.Is(wrong, io.ErrUnexpectedEOF) {
		message = "this is not JSON: the array is not closed with ]; is the file cut off?"
	} else if comma := a.commaProblem(unread[:at], unread[at:]); comma != "" {
		message = comma
	}
	return &syntaxError{message, a.end.after(unread[:at])}
}

// commaProblem says what is wrong with the comma between two records, if the mistake
// at rest is one of that kind; else "". before is what stands between the record that
// was read last and the mistake.
func (a *arrayReader) commaProblem(before, rest []byte) string {
	if _, elements := a.in.StackIndex(a.in.StackDepth()); a.in.StackDepth() != 1 || elements == 0 {
		return ""
	}
	switch before = bytes.Trim(before, space); {
	case len(before) > 0 && string(before) != ",", rest[0] == '}':
		return ""
	case rest[0] == ',', rest[0] == ']':
		return "this is not JSON: no record follows the comma; leave it out"
	case len(before) == 0:
		return "this is not JSON: a comma is missing between two records; add it"
	}
	return ""
}
