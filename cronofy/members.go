package cronofy

import (
	"bytes"
	"cmp"
	"encoding/json"
	"slices"
	"unicode/utf8"
)

// member is one name of a JSON object with its value.
type member struct {
	name  string
	value json.RawMessage // part of the text that was read
}

// members takes apart a JSON object that encoding/json has found valid, which
// costs a tenth of decoding it into a map. They are sorted by name; of several
// with one name the last counts. Of anything else than an object there are
// none.
func members(object []byte) []member {
	if !bytes.HasPrefix(object, []byte("{")) {
		return nil
	}
	list := make([]member, 0, 8)
	for rest := skipSpace(object[1:]); len(rest) > 0 && rest[0] == '"'; rest = skipSpace(rest) {
		var m member
		end := valueEnd(rest)
		if err := readText(rest[:end], &m.name); err != nil {
			return nil // not valid after all
		}
		rest = skipSpace(rest[end:])
		if len(rest) == 0 || rest[0] != ':' {
			return nil
		}
		rest = skipSpace(rest[1:])
		end = valueEnd(rest)
		m.value = rest[:end:end]
		list = append(list, m)
		if rest = skipSpace(rest[end:]); len(rest) > 0 && rest[0] == ',' {
			rest = rest[1:]
		}
	}
	slices.SortStableFunc(list, func(a, b member) int { return cmp.Compare(a.name, b.name) })
	kept := list[:0]
	for i, m := range list {
		if i+1 == len(list) || list[i+1].name != m.name {
			kept = append(kept, m)
		}
	}
	return kept
}

func skipSpace(text []byte) []byte { return bytes.TrimLeft(text, " \t\r\n") }

// valueEnd is the length of the JSON value that text begins with.
func valueEnd(text []byte) int {
	depth := 0
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '"':
			for i++; i < len(text) && text[i] != '"'; i++ {
				if text[i] == '\\' {
					i++
				}
			}
			if depth == 0 {
				return min(i+1, len(text))
			}
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth < 0 {
				return i // of what the value stands in
			} else if depth == 0 {
				return i + 1
			}
		case ',', ':', ' ', '\t', '\r', '\n':
			if depth == 0 {
				return i
			}
		}
	}
	return len(text)
}

// readText is json.Unmarshal into a string, at no cost but the copy for text
// that stands there as it is.
func readText(value []byte, target *string) error {
	if n := len(value); n >= 2 && value[0] == '"' && value[n-1] == '"' {
		text := value[1 : n-1]
		asItIs := func(r rune) bool { return r != '"' && r != '\\' && r >= ' ' }
		if utf8.Valid(text) && bytes.IndexFunc(text, func(r rune) bool { return !asItIs(r) }) < 0 {
			*target = string(text)
			return nil
		}
	}
	return json.Unmarshal(value, target)
}
