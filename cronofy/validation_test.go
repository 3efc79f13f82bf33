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
		"another form": {
			`{"error":"invalid_request","error_description":"The zone is unknown"}`,
			[]Problem{{Description: `{"error":"invalid_request","error_description":"The zone is unknown"}`}},
			`(422): {"error":"invalid_request","error_description":"The zone is unknown"}`,
		},
		"an escaped address in another form": {
			`{"errors":["` + strings.ReplaceAll(testRecipient, "@", `\u0040`) + ` is bad"]}`,
			[]Problem{{Description: `{"errors":["[recipient] is bad"]}`}}, "[recipient] is bad",
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
		"an address in other case": {
			`{"errors":{"a":[{"description":"` + strings.ToUpper(testRecipient) + ` is bad"}]}}`,
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
		fmt.Fprintf(&b, `,"field%d":[{"key":"%s"}]`, i, strings.Repeat("x", 20))
	}
	for name, body := range map[string]string{
		"fields":   `{"errors":{` + b.String()[1:] + `}}`,
		"problems": `{"errors":{"a":[{"key":"first"}` + strings.Repeat(`,{"key":"it is wrong"}`, 20_000) + `]}}`,
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
