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
	// maxProblems is how long the text about problems grows before the rest is only
	// counted, in octets.
	maxProblems = 2000
)

// readProblems reads the body of a 422, whose documented form is
// {"errors": {field: [{"key", "description"}]}}. What has another form is one problem, in full, and
// a web page none: it does not come from the API.
func readProblems(body []byte, clean func(string) string) []Problem {
	var documented struct {
		Errors map[string][]struct{ Key, Description string }
	}
	var found []Problem
	if json.Unmarshal(body, &documented) == nil {
		for _, field := range slices.Sorted(maps.Keys(documented.Errors)) {
			for _, p := range documented.Errors[field] {
				found = append(found, Problem{clean(field), clean(p.Key), clean(p.Description)})
			}
		}
	}
	body = bytes.TrimSpace(body)
	if len(found) > 0 || len(body) <= len("{}") || body[0] == '<' {
		return found
	}
	var other any
	if err := json.Unmarshal(body, &other); err == nil {
		if text, ok := other.(string); ok {
			return []Problem{{Description: clean(text)}}
		}
		var plain bytes.Buffer // without escapes of letters, so that an address in it is found
		out := json.NewEncoder(&plain)
		out.SetEscapeHTML(false)
		if out.Encode(other) == nil {
			body = bytes.TrimSpace(plain.Bytes())
		}
	}
	return []Problem{{Description: clean(string(body))}}
}

// problemsText lists the fields with what is said about them; of very many, the first.
func problemsText(problems []Problem) string {
	var b strings.Builder
	for i, p := range problems {
		separator, name := "; ", p.Field+": "
		switch {
		case p.Field == "":
			separator, name = "", ""
		case i == 0:
			separator = "fix "
		case p.Field == problems[i-1].Field:
			separator, name = ", ", ""
		}
		b.WriteString(separator)
		if b.Len() > maxProblems {
			fmt.Fprintf(&b, "and %d more", len(problems)-i)
			break
		}
		b.WriteString(name + p.text())
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
