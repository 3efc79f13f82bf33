package templates

import (
	htmltemplate "html/template"
	"maps"
	"strings"
	"testing"
	"testing/fstest"
	texttemplate "text/template"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The limits on templates that do not end change nothing: every mail is, byte
// for byte, what text/template and html/template make of the files as they are.
func TestLimitsChangeNothing(t *testing.T) {
	t.Parallel()
	set, err := New()
	require.NoError(t, err)
	for lang := range readers() {
		for _, kind := range kinds() {
			textTrees, htmlTrees, words := trees{}, trees{}, trees{}
			require.NoError(t, set.read(textTrees, textLayout))
			require.NoError(t, set.read(htmlTrees, htmlLayout))
			require.NoError(t, set.read(words, lang+"/"+wordsFile))
			require.NoError(t, set.read(words, lang+"/"+kindFile(kind)))
			maps.Copy(textTrees, words)
			maps.Copy(htmlTrees, words)
			text, page := texttemplate.New("").Funcs(functions()), htmltemplate.New("").Funcs(functions())
			for name, tree := range textTrees {
				_, err := text.AddParseTree(name, tree.Copy())
				require.NoError(t, err)
			}
			for name, tree := range htmlTrees {
				_, err := page.AddParseTree(name, tree.Copy())
				require.NoError(t, err)
			}
			for _, e := range hardEvents() {
				e.data.Lang = lang
				got, err := set.Render(kind, e.data)
				require.NoError(t, err)
				d := e.data
				d.Kind = kind
				if kind != Update {
					d.Changes = nil
				}
				d = d.cleaned()
				d.setTimes(calendarOf(lang, ""))
				var letter, html strings.Builder
				require.NoError(t, text.ExecuteTemplate(&letter, "letter", &d))
				require.NoError(t, page.ExecuteTemplate(&html, "page", &d))
				assert.Equal(t, wrap(letter.String()), got.Text, "%s in %s: %s", kind, lang, e.name)
				assert.Equal(t, html.String(), got.HTML, "%s in %s: %s", kind, lang, e.name)
			}
		}
	}
}

// Definitions that call each other mean what text/template says they mean.
func TestDefinitionsKeepTheirMeaning(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ lead, helpers, want string }{
		"text": {`{{template "h"}}`, `{{define "h"}}text{{end}}`, "text"},
		"its dot is the caller's": {`{{with .Organizer}}{{template "h" .}}{{end}}`,
			`{{define "h"}}{{.Name}}{{end}}`, "Jane Doe"},
		"$ is its own dot": {`{{with .Organizer}}{{template "h" .}}{{end}}`,
			`{{define "h"}}{{with .Email}}{{$.Name}}{{end}}{{end}}`, "Jane Doe"},
		"a dot written once": {`{{template "h" .Summary}}`, `{{define "h"}}[{{.}}]{{end}}`, "[Board meeting]"},
		"a dot written twice": {`{{template "h" print .Summary}}`, `{{define "h"}}{{.}}{{.}}{{end}}`,
			"Board meetingBoard meeting"},
		"without a dot": {`{{template "h"}}`, `{{define "h"}}{{if .}}some{{else}}none{{end}}{{end}}`,
			"none"},
		"variables are its own": {`{{$x := "a"}}{{template "h" .}}{{$x}}`,
			`{{define "h"}}{{$x := "b"}}{{$x}}{{end}}`, "ba"},
		"$ of the caller as its dot": {`{{with .Organizer}}{{template "h" $}}{{end}}`,
			`{{define "h"}}{{.Summary}}{{end}}`, "Board meeting"},
		"a variable named step": {`{{$step := "a"}}{{range 2}}{{$step}}{{end}}`, ``, "aa"},
		"break stays inside": {`{{range 3}}{{template "h" .}}{{end}}`,
			`{{define "h"}}{{range 9}}{{break}}{{end}}.{{end}}`, "..."},
		"recursion": {`{{template "h" "abc"}}`,
			`{{define "h"}}{{if .}}{{template "h" (slice . 1)}}{{slice . 0 1}}{{end}}{{end}}`, "cba"},
		"both dots of nested calls": {`{{template "h" .Organizer}}`,
			`{{define "h"}}{{template "i" .Name}}/{{.Email}}{{end}}{{define "i"}}[{{.}}]{{end}}`,
			"[Jane Doe]/jane@example.com"},
		"a falsy argument is no with": {`{{template "h" .TZID}}`, `{{define "h"}}[{{.}}]{{end}}`, "[]"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			set, err := New(fstest.MapFS{"en/invitation.tmpl": {Data: []byte(`{{define "lead"}}` + tt.lead +
				`{{end}}` + tt.helpers)}})
			require.NoError(t, err)
			d := boardMeeting(t)
			d.TZID = ""
			words, err := set.Render(Invitation, d)
			require.NoError(t, err)
			assert.True(t, strings.HasPrefix(words.Text, tt.want+"\n"), words.Text[:60])
			assert.True(t, strings.HasPrefix(visible(t, words.HTML), tt.want+" "), visible(t, words.HTML)[:60])
		})
	}
}
