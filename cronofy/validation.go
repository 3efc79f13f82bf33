package cronofy

import (
	"bytes"
	"cmp"
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
	// maxProblems is how long the text about problems grows before the rest is only
	// counted, in octets.
	maxProblems = 2000
	// maxNesting is how deep an answer is searched for problems.
	maxNesting = 8
)

// The member names that APIs give to the parts of a problem, the best first.
var (
	descriptionNames = []string{"description", "error_description", "message", "detail", "title"}
	keyNames         = []string{"key", "code", "error"}
	fieldNames       = []string{"field", "attribute", "pointer"}
)

// readProblems reads the body of a 422. The documented form is
// {"errors": {field: [{"key", "description"}]}}. A list, a text, the form of OAuth (RFC 6749
// section 5.2), that of RFC 9457 and plain text are read too, under no field where none is
// named. A web page is ignored: it does not come from the API.
func readProblems(body []byte, clean func(string) string) []Problem {
	p := problemReader{clean: clean}
	body = bytes.TrimSpace(body)
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber() // a number is quoted as it stands
	var answer any
	switch err := decoder.Decode(&answer); {
	case err == nil:
		p.readAnswer(answer)
	case len(body) > 0 && body[0] != '<':
		p.addText("", string(body[:min(len(body), 8*maxQuoted)]))
	}
	slices.SortStableFunc(p.found, func(a, b Problem) int { return cmp.Compare(a.Field, b.Field) })
	return p.found
}

// problemReader collects problems from an answer.
type problemReader struct {
	clean func(string) string
	found []Problem
}

// readAnswer reads a whole answer. The member names in its errors are those of fields,
// whatever they are: an event has a description, too.
func (p *problemReader) readAnswer(answer any) {
	object, _ := answer.(map[string]any)
	switch errors := object["errors"].(type) {
	case nil:
		p.read("", answer, maxNesting)
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(errors)) {
			p.read(name, errors[name], maxNesting)
		}
	default:
		p.read("", errors, maxNesting)
	}
	if len(p.found) == 0 && object != nil {
		delete(object, "errors") // it is empty, but a message may stand beside it
		p.read("", answer, maxNesting)
	}
}

// read reads what is said about a field: a text, an object in the form of a problem, a list
// of these, or an object of fields below.
func (p *problemReader) read(field string, said any, depth int) {
	if depth == 0 {
		return
	}
	before := len(p.found)
	switch said := said.(type) {
	case string:
		p.addText(field, said)
	case []any:
		for _, one := range said {
			p.read(field, one, depth-1)
		}
	case map[string]any:
		problem := Problem{
			Field:       p.clean(below(field, first(said, fieldNames))),
			Key:         p.clean(first(said, keyNames)),
			Description: p.clean(first(said, descriptionNames)),
		}
		isProblem := problem.Key != "" || problem.Description != ""
		if isProblem {
			p.found = append(p.found, problem)
		}
		for _, name := range slices.Sorted(maps.Keys(said)) {
			if !isProblem || isNested(said[name]) { // such as details beside a message
				p.read(below(field, name), said[name], depth-1)
			}
		}
	case json.Number, bool:
		p.addText(field, fmt.Sprint(said))
	}
	if len(p.found) == before && field != "" { // nothing is said of it
		p.found = append(p.found, Problem{Field: p.clean(field)})
	}
}

func isNested(value any) bool {
	switch value.(type) {
	case []any, map[string]any:
		return true
	}
	return false
}

func (p *problemReader) addText(field, text string) {
	if text = strings.TrimSpace(text); text != "" {
		p.found = append(p.found, Problem{Field: p.clean(field), Description: p.clean(text)})
	}
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

// problemsText lists the fields with what is said about them; of very many, the first.
func problemsText(problems []Problem) string {
	var b strings.Builder
	named := false
	for i, problem := range problems {
		separator := "; "
		if i > 0 && problem.Field == problems[i-1].Field {
			separator = ", "
		}
		if i > 0 {
			b.WriteString(separator)
		}
		if b.Len() > maxProblems {
			fmt.Fprintf(&b, "and %d more", len(problems)-i)
			break
		}
		if problem.Field != "" && separator == "; " {
			if !named {
				b.WriteString("fix ")
				named = true
			}
			b.WriteString(problem.Field)
			if problem.Key != "" || problem.Description != "" {
				b.WriteString(": ")
			}
		}
		b.WriteString(problem.text())
	}
	return b.String()
}

// text is the description with the key behind it.
func (p Problem) text() string {
	if p.Key != "" && p.Description != "" {
		return p.Description + " (" + p.Key + ")"
	}
	return p.Description + p.Key
}

// clean makes a text from an answer fit to be shown: on one line, of bounded length, and
// without the key and the addresses that were sent.
func (c *Client) clean(text string, addresses []string) string {
	text = strings.ReplaceAll(text, c.key(), "[key]")
	for _, address := range addresses {
		text = safetext.ReplaceFold(text, address, "[recipient]")
	}
	return safetext.Short(text, maxQuoted)
}
