package record

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/go-json-experiment/json/jsontext"
)

// maxArray is the size of the longest text of JSON that is read, in octets. It is in memory as a
// whole, so that nothing is handed out of a text that is wrong somewhere.
const maxArray = 64 << 20

// readJSON reads one object or an array of them.
func (r *reader) readJSON(in io.Reader) bool {
	text, err := io.ReadAll(io.LimitReader(in, maxArray+1))
	switch {
	case err != nil:
		return r.giveUp(0, fmt.Sprintf("cannot be read: %v; nothing of it is sent", err), err)
	case len(text) > maxArray:
		return r.giveUp(0, "is longer than 64 MiB; write one record a line, as JSON Lines (.jsonl)", nil)
	case len(bytes.Trim(text, space)) == 0:
		return r.giveUp(0, isEmpty, nil)
	}
	records, at, problem := split(text)
	last, begin := 0, position{1, 1}
	if problem != "" {
		begin = begin.after(text[:at])
		return r.fail(begin.line, located(problem, begin.String())+"; nothing of this file is sent")
	}
	for _, v := range records {
		begin, last = begin.after(text[last:v.at]), v.at
		more := false
		if len(v.text) > MaxRecord {
			more = r.fail(begin.line, tooLongLine)
		} else {
			more = r.yield(r.record(v.text, begin))
		}
		if !more {
			return false
		}
	}
	return true
}

// split returns the elements of an array, or the one value that a text has without an array; else
// problem says what is wrong with the text at that offset.
func split(text []byte) (records []value, at int, problem string) {
	in := decoder(text)
	more := "more follows the first record; for several records write an array, or one record a line as JSON Lines (.jsonl)"
	isArray := in.PeekKind() == jsontext.KindBeginArray
	if isArray {
		_, _ = in.ReadToken()
		more = "more follows the end of the array; leave it out"
	}
	for isArray && in.PeekKind() != jsontext.KindEndArray || len(records) == 0 && !isArray {
		v, err := in.ReadValue()
		var wrong *jsontext.SyntacticError
		if errors.As(err, &wrong) {
			at = int(wrong.ByteOffset)
			return nil, at, arrayProblem(in, wrong, text[in.InputOffset():at], text[at:])
		}
		records = append(records, value{text: v, at: int(in.InputOffset()) - len(v)})
	}
	if isArray {
		_, _ = in.ReadToken()
	}
	at = int(in.InputOffset())
	if _, err := in.ReadToken(); !errors.Is(err, io.EOF) {
		return nil, len(text) - len(bytes.TrimLeft(text[at:], space)), more
	}
	return records, 0, ""
}

// arrayProblem says what is wrong at rest. before is what stands between the record that was read
// last and the mistake.
func arrayProblem(in *jsontext.Decoder, err *jsontext.SyntacticError, before, rest []byte) string {
	if in.StackDepth() == 0 {
		return syntaxProblem(err, rest)
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return "this is not JSON: the array is not closed with ]; is the file cut off?"
	}
	_, elements := in.StackIndex(1)
	before = bytes.Trim(before, space)
	switch between := len(before) == 0 || string(before) == ","; {
	case elements == 0 || !between || rest[0] == '}':
		return syntaxProblem(err, rest)
	case rest[0] == ',' || rest[0] == ']':
		return "this is not JSON: no record follows the comma; leave it out"
	case len(before) == 0:
		return "this is not JSON: a comma is missing between two records; add it"
	}
	return syntaxProblem(err, rest)
}
