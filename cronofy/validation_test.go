package cronofy

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The person who made the request must see every field and every reason, and
// a body in another form must not hide that the request was refused.
func TestValidationError(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		body     string
		problems []Problem
		text     string
	}{
		"documented": {
			body:     `{"errors":{"event_id":[{"key":"errors.required","description":"required"}]}}`,
			problems: []Problem{{Field: "event_id", Key: "errors.required", Description: "required"}},
			text:     "fix event_id: required (errors.required)",
		},
		"several, sorted": {
			body: `{"errors":{"z":[{"key":"k1","description":"one"},{"key":"k2","description":"two"}],` +
				`"a":[{"key":"k3"}],"m":[{"description":"four"}]}}`,
			problems: []Problem{
				{Field: "a", Key: "k3"},
				{Field: "m", Description: "four"},
				{Field: "z", Key: "k1", Description: "one"},
				{Field: "z", Key: "k2", Description: "two"},
			},
			text: "fix a: k3; m: four; z: one (k1), two (k2)",
		},
		"no echo of address and key, one line, not endless": {
			body: `{"errors":{"recipient.email":[{"key":"errors.invalid",` +
				`"description":"` + testRecipient + ` and ` + testKey + `\n` + strings.Repeat(
				"x",
				400,
			) + `"}]}}`,
			problems: []Problem{
				{
					Field: "recipient.email",
					Key:   "errors.invalid",
					Description: "[recipient] and [key] " + strings.Repeat(
						"x",
						300-len("[recipient] and [key] "),
					) + "…",
				},
			},
			text: "[recipient] and [key] xxx",
		},
		"a text for a field": {
			`{"errors":{"a":"required"}}`,
			[]Problem{{Field: "a", Description: "required"}},
			"fix a: required",
		},
		"texts for a field": {
			`{"errors":{"a":["is required","is short"]}}`,
			[]Problem{
				{Field: "a", Description: "is required"},
				{Field: "a", Description: "is short"},
			}, "fix a: is required, is short",
		},
		"nested fields": {
			`{"errors":{"event":{"start":[{"key":"errors.invalid"}],"end":"late"}}}`,
			[]Problem{
				{Field: "event.end", Description: "late"},
				{Field: "event.start", Key: "errors.invalid"},
			}, "fix event.end: late; event.start: errors.invalid",
		},
		"a list": {
			`{"errors":["No such zone",{"field":"event.tzid","message":"unknown"},{"key":"errors.plan",` +
				`"description":"not yours"}]}`,
			[]Problem{
				{Description: "No such zone"},
				{Key: "errors.plan", Description: "not yours"},
				{Field: "event.tzid", Description: "unknown"},
			}, "(422): No such zone, not yours (errors.plan); fix event.tzid: unknown",
		},
		"a list of objects for a field": {
			`{"errors":{"a":[{"code":"E1","message":"bad"}]}}`,
			[]Problem{{Field: "a", Key: "E1", Description: "bad"}}, "fix a: bad (E1)",
		},
		"OAuth's form": {
			`{"error":"invalid_request","error_description":"The zone is unknown"}`,
			[]Problem{
				{Key: "invalid_request", Description: "The zone is unknown"},
			}, "(422): The zone is unknown (invalid_request)",
		},
		"fields with the names of words": {
			`{"errors":{"description":"is long","key":["x"]}}`,
			[]Problem{{Field: "description", Description: "is long"}, {Field: "key", Description: "x"}},
			"fix description: is long; key: x",
		},
		"details beside a message": {
			`{"message":"Validation failed","status":422,"details":[{"field":"event.start","issue":"is late"}],` +
				`"hints":["call us"]}`,
			[]Problem{
				{Description: "Validation failed"},
				{Field: "details.field", Description: "event.start"},
				{Field: "details.issue", Description: "is late"},
				{Field: "hints", Description: "call us"},
			}, "(422): Validation failed; fix details.field: event.start; details.issue: is late; hints: call us",
		},
		"a message beside no errors": {
			`{"message":"The zone is unknown","errors":[]}`,
			[]Problem{{Description: "The zone is unknown"}},
			"(422): The zone is unknown",
		},
		"a message beside empty errors": {
			`{"message":"The zone is unknown","errors":{}}`,
			[]Problem{{Description: "The zone is unknown"}},
			"(422): The zone is unknown",
		},
		"a message": {
			`{"message":"The zone is unknown"}`,
			[]Problem{{Description: "The zone is unknown"}},
			"(422): The zone is unknown",
		},
		"a map of lists": {
			`{"event.start":["is wrong"]}`,
			[]Problem{{Field: "event.start", Description: "is wrong"}},
			"fix event.start: is wrong",
		},
		"plain text": {
			"The zone\nis unknown\x1b",
			[]Problem{{Description: `The zone is unknown\x1b`}},
			"(422): The zone is unknown",
		},
		"a JSON text": {
			`"The zone is unknown"`,
			[]Problem{{Description: "The zone is unknown"}},
			"(422): The zone is unknown",
		},
		"an array": {
			`["The zone is unknown", 7]`,
			[]Problem{{Description: "The zone is unknown"}, {Description: "7"}},
			"(422): The zone is unknown, 7",
		},
		"a field that is unsaid": {`{"errors":{"a":null}}`, []Problem{{Field: "a"}}, "fix a"},
		"an address in other case": {
			`{"errors":{"a":"` + strings.ToUpper(testRecipient) + ` is bad"}}`,
			[]Problem{{Field: "a", Description: "[recipient] is bad"}},
			"fix a: [recipient] is bad",
		},
		"empty":                {"", nil, "without naming a field"},
		"HTML":                 {"<html>", nil, "without naming a field"},
		"nothing in an array":  {"[]", nil, "without naming a field"},
		"nothing in an object": {"{}", nil, "without naming a field"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client := setup(t, func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(http.StatusUnprocessableEntity)
				_, _ = io.WriteString(w, test.body)
			})
			_, err := client.Create(t.Context(), documentedRequest())
			var invalid *Error
			require.ErrorAs(t, err, &invalid)
			assert.Equal(t, test.problems, invalid.Problems)
			assert.Contains(t, err.Error(), test.text)
		})
	}
}

// Whatever the API names, the error can be read, and all of it is there for programs.
func TestValidationErrorIsBounded(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	for i := range 20_000 {
		fmt.Fprintf(&b, `,"field%d":["%s"]`, i, strings.Repeat("x", 20))
	}
	for name, body := range map[string]string{
		"fields":   `{"errors":{` + b.String()[1:] + `}}`,
		"problems": `{"errors":{"a":[` + strings.TrimPrefix(strings.Repeat(`,"it is wrong"`, 20_000), ",") + `]}}`,
		"depth":    `{"errors":` + strings.Repeat(`{"a":`, 5_000) + `"deep"` + strings.Repeat("}", 5_001),
		"a name":   `{"errors":{"` + strings.Repeat("é", 100_000) + `":"x"}}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client := setup(t, func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(http.StatusUnprocessableEntity)
				_, _ = io.WriteString(w, body)
			})
			_, err := client.Create(t.Context(), documentedRequest())
			var invalid *Error
			require.ErrorAs(t, err, &invalid)
			assert.Less(t, len(err.Error()), 5_000)
			if name == "fields" {
				assert.Len(t, invalid.Problems, 20_000)
				assert.Regexp(t, `; and \d+ more$`, err.Error())
			}
			if name == "problems" {
				assert.Regexp(t, `, and \d+ more$`, err.Error())
			}
		})
	}
}
