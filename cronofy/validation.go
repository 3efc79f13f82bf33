package cronofy

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/invitemailer/invitemailer/internal/safetext"
)

const (
	// maxQuoted bounds one text that an error quotes from an answer, in characters.
	maxQuoted = 300
	// maxValidation is how long the text of a ValidationError grows before what follows is only counted, in octets.
	maxValidation = 2000
	// maxNesting is how deep a field's problems are looked for.
	maxNesting = 8
)

// The names that APIs give to the words of a problem, the best first.
var (
	descriptionNames = []string{"description", "error_description", "message", "detail", "title"}
	keyNames         = []string{"key", "code", "error"}
	fieldNames       = []string{"field", "attribute", "pointer"}
)

// decodeValidation reads the body of a 422. Documented is {"errors": {field: [{"key", "description"}]}}. A list, a text, the form of
// OAuth (RFC 6749 section 5.2), that of RFC 9457 and plain text keep their words too, under no field where none is named. Of a web page
// nothing is kept: it is not the API that answered.
func decodeValidation(body []byte, clean func(string) string) *ValidationError {
	v := validation{clean: clean, fields: make(map[string]*FieldError)}
	body = bytes.TrimSpace(body)
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber() // a number is quoted as it stands
	var answer any
	switch err := decoder.Decode(&answer); {
	case err != nil && len(body) > 0 && body[0] != '<':
		v.text("", string(body[:min(len(body), 8*maxQuoted)]))
	case err != nil:
	default:
		v.answer(answer)
	}
	result := &ValidationError{}
	for _, name := range slices.Sorted(maps.Keys(v.fields)) {
		result.Fields = append(result.Fields, *v.fields[name])
	}
	return result
}

// validation collects problems by field.
type validation struct {
	clean  func(string) string
	fields map[string]*FieldError
}

// answer reads a whole answer. The names in its errors are those of fields, whatever they are: an event has a description, too.
func (v *validation) answer(answer any) {
	object, _ := answer.(map[string]any)
	switch said := object["errors"].(type) {
	case nil:
		v.problems("", answer, maxNesting)
	case map[string]any:
		for name, one := range said {
			v.problems(name, one, maxNesting)
		}
	default:
		v.problems("", said, maxNesting)
	}
	if len(v.fields) == 0 && object != nil {
		delete(object, "errors") // says nothing, but something beside it may
		v.problems("", answer, maxNesting)
	}
}

// holds reports whether a value has others in it.
func holds(value any) bool {
	switch value.(type) {
	case []any, map[string]any:
		return true
	}
	return false
}

// problems reads what is said about a field: a text, an object in the form of a problem, a list of these, or an object of fields below.
func (v *validation) problems(field string, said any, depth int) {
	if depth == 0 {
		return
	}
	switch said := said.(type) {
	case nil:
		if field != "" {
			v.field(field)
		}
	case string:
		v.text(field, said)
	case []any:
		if field != "" {
			v.field(field)
		}
		for _, one := range said {
			v.problems(field, one, depth-1)
		}
	case map[string]any:
		if problem, ok := v.problem(said); ok {
			into := v.field(below(field, first(said, fieldNames)))
			into.Problems = append(into.Problems, problem)
			maps.DeleteFunc(said, func(_ string, one any) bool { return !holds(one) }) // such as details beside a message
		}
		for name, one := range said {
			v.problems(below(field, name), one, depth-1)
		}
	default:
		v.text(field, fmt.Sprint(said))
	}
}

// problem reads an object as one problem, if it has the form of one.
func (v *validation) problem(said map[string]any) (Problem, bool) {
	p := Problem{Key: v.clean(first(said, keyNames)), Description: v.clean(first(said, descriptionNames))}
	return p, p != Problem{}
}

func (v *validation) text(field, text string) {
	if text = strings.TrimSpace(text); text != "" {
		into := v.field(field)
		into.Problems = append(into.Problems, Problem{Description: v.clean(text)})
	}
}

func (v *validation) field(name string) *FieldError {
	name = v.clean(name)
	if v.fields[name] == nil {
		v.fields[name] = &FieldError{Field: name}
	}
	return v.fields[name]
}

// first is the first text among the members of those names.
func first(object map[string]any, names []string) string {
	for _, name := range names {
		if text, ok := object[name].(string); ok && text != "" {
			return text
		}
	}
	return ""
}

func below(field, name string) string {
	if field == "" || name == "" {
		return field + name
	}
	return field + "." + name
}

// Error lists fields with what the API says about them; of very many, the first.
func (e *ValidationError) Error() string {
	if len(e.Fields) == 0 {
		return "the API refused the request as invalid (422) without naming a field: check the request"
	}
	var b strings.Builder
	b.WriteString("the API refused the request as invalid (422): ")
	named := false
	for i, field := range e.Fields {
		if b.Len() > maxValidation {
			fmt.Fprintf(&b, "; and %d more", len(e.Fields)-i)
			break
		}
		if i > 0 {
			b.WriteString("; ")
		}
		if field.Field != "" && !named {
			b.WriteString("fix ")
			named = true
		}
		field.write(&b)
	}
	return b.String()
}

func (f *FieldError) write(b *strings.Builder) {
	b.WriteString(f.Field)
	begin := b.Len()
	for i, problem := range f.Problems {
		switch {
		case i == 0 && f.Field != "":
			b.WriteString(": ")
		case i == 0:
		case b.Len()-begin > maxValidation/2:
			fmt.Fprintf(b, ", and %d more", len(f.Problems)-i)
			return
		default:
			b.WriteString(", ")
		}
		b.WriteString(problem.String())
	}
}

// clean makes a text from an answer fit to be shown: without the key and the addresses that were sent, on one line, not without end.
func (c *Client) clean(text string, addresses []string) string {
	text = c.redact(text)
	for _, address := range addresses {
		text = safetext.ReplaceFold(text, address, "[recipient]")
	}
	return safetext.Short(text, maxQuoted)
}
