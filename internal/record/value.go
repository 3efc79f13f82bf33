package record

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// space is what may stand between the tokens of JSON.
const space = " \t\r\n"

// value is a JSON value in a record whose syntax was checked, so that no error
// can come of taking it apart.
type value struct {
	path string         // its field, for messages, such as recipients[0].email; "" for the record
	text jsontext.Value // without space around it
	at   int            // its offset in the record
}

// member is a member of an object.
type member struct {
	name   string
	nameAt int // the offset of the name in the record
	value
}

func (v value) is(k jsontext.Kind) bool { return v.text.Kind() == k }

// kind names the type for people.
func (v value) kind() string {
	switch v.text.Kind() {
	case jsontext.KindString:
		return "a string"
	case jsontext.KindBeginObject:
		return "an object"
	case jsontext.KindBeginArray:
		return "an array"
	case jsontext.KindTrue, jsontext.KindFalse:
		return "true or false"
	case jsontext.KindNull:
		return "null"
	default:
		return "a number"
	}
}

// str is what a string says.
func (v value) str() string {
	s, _ := jsontext.AppendUnquote(nil, v.text)
	return string(s)
}

// members goes over an object.
func (v value) members() iter.Seq[member] {
	return func(yield func(member) bool) {
		in := decoder(v.text)
		_, _ = in.ReadToken()
		for in.PeekKind() != jsontext.KindEndObject {
			name := v.next(in)
			m := member{name: name.str(), nameAt: name.at, value: v.next(in)}
			m.path = m.name
			if v.path != "" {
				m.path = v.path + "." + m.name
			}
			if !yield(m) {
				return
			}
		}
	}
}

// elements goes over an array.
func (v value) elements() iter.Seq[value] {
	return func(yield func(value) bool) {
		in := decoder(v.text)
		_, _ = in.ReadToken()
		for i := 0; in.PeekKind() != jsontext.KindEndArray; i++ {
			e := v.next(in)
			e.path = v.path + "[" + strconv.Itoa(i) + "]"
			if !yield(e) {
				return
			}
		}
	}
}

// next reads the next value inside v.
func (v value) next(in *jsontext.Decoder) value {
	text, _ := in.ReadValue()
	return value{text: text, at: v.at + int(in.InputOffset()) - len(text)}
}

// decoder reads a text in memory. Names may stand twice, as one that does is no
// mistake in the syntax.
func decoder(text []byte) *jsontext.Decoder {
	return jsontext.NewDecoder(bytes.NewBuffer(text), jsontext.AllowDuplicateNames(true))
}

// parse returns the value that a text consists of; else problem says what is wrong
// with the text at that offset.
func parse(text []byte) (v value, at int, problem string) {
	in := decoder(text)
	read, err := in.ReadValue()
	end := int(in.InputOffset())
	var wrong *jsontext.SyntacticError
	if errors.As(err, &wrong) {
		at = int(wrong.ByteOffset)
		return value{}, at, syntaxProblem(wrong, text[at:])
	}
	if _, err := in.ReadToken(); !errors.Is(err, io.EOF) {
		at = len(text) - len(bytes.TrimLeft(text[end:], space))
		return value{}, at, "more follows the record; give each record a line of its own"
	}
	return value{text: read, at: end - len(read)}, 0, ""
}

// repeatedName returns where a name stands in an object for the second time, and
// its field; ok is false if none does.
func repeatedName(text []byte) (at int, field string, ok bool) {
	_, err := jsontext.NewDecoder(bytes.NewBuffer(text)).ReadValue()
	var wrong *jsontext.SyntacticError
	if !errors.As(err, &wrong) || !errors.Is(wrong, jsontext.ErrDuplicateName) {
		return 0, "", false
	}
	return int(wrong.ByteOffset), fieldOf(wrong.JSONPointer), true
}

// syntaxProblem says what is wrong with a text at rest, where its decoder gave err.
func syntaxProblem(err *jsontext.SyntacticError, rest []byte) string {
	c, size := utf8.DecodeRune(rest)
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		return "this is not JSON: the record ends too early; complete it"
	case c == 0:
		return "a NUL octet is no text; give a text file in UTF-8"
	case c == utf8.RuneError && size == 1:
		return fmt.Sprintf("the octet 0x%02x is not UTF-8; save the file as UTF-8", rest[0])
	case isHalfCharacter(rest):
		return fmt.Sprintf("%s is half a character; write the other half beside it, or the character itself",
			rest[:len(`\ud800`)])
	}
	return fmt.Sprintf("this is not JSON: %v; fix it", err.Err)
}

// isHalfCharacter reports whether a text begins with the escape of a surrogate. One
// that has no other half is wrong (RFC 8259 section 8.2).
func isHalfCharacter(text []byte) bool {
	const length = len(`\ud800`)
	if len(text) < length || !bytes.HasPrefix(text, []byte(`\u`)) {
		return false
	}
	n, err := strconv.ParseUint(string(text[2:length]), 16, 16)
	return err == nil && utf16.IsSurrogate(rune(n))
}

// fieldOf writes a pointer as fields are written in messages.
func fieldOf(p jsontext.Pointer) string {
	var field strings.Builder
	for name := range p.Tokens() {
		switch {
		case field.Len() == 0:
			field.WriteString(name)
		case isNumber(name):
			field.WriteString("[" + name + "]")
		default:
			field.WriteString("." + name)
		}
	}
	return field.String()
}
