package templates

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func overlay(files map[string]string) fstest.MapFS {
	m := fstest.MapFS{}
	for name, content := range files {
		m[name] = &fstest.MapFile{Data: []byte(content)}
	}
	return m
}

func TestOverlayReplacesWhatItHas(t *testing.T) {
	t.Parallel()
	set, err := New(
		overlay(map[string]string{
			"de/invitation.tmpl": `{{define "subject"}}Bitte kommen: {{template "title" .}}{{end}}{{define "closing"}}{{end}}`,
			"layout.txt":         `{{define "address"}}<{{.}}>{{end}}`,
			"README.md":          "notes",
			".git/config":        "nothing of ours",
		}),
		overlay(map[string]string{"de/invitation.tmpl": `{{define "subject"}}Zuletzt: {{template "title" .}}{{end}}`}),
	)
	require.NoError(t, err)
	require.NoError(t, set.Validate())
	d := boardMeeting(t)
	d.Lang = "de"
	words, err := set.Render(Invitation, d)
	require.NoError(t, err)
	assert.Equal(t, "Zuletzt: Board meeting", words.Subject)
	assert.Contains(t, words.Text, "lädt Sie zu einem Termin ein")
	assert.NotContains(t, words.Text, "Zusagen", "an empty definition takes a text away")
	d.Lang = "en"
	words, err = set.Render(Invitation, d)
	require.NoError(t, err)
	assert.Equal(t, "Invitation: Board meeting", words.Subject)
	assert.Contains(t, words.Text, "<hr@example.com>")
}

func TestNamedSets(t *testing.T) {
	t.Parallel()
	set, err := New(overlay(map[string]string{
		"en/words.tmpl":                `{{define "label-when"}}Date{{end}}`,
		"interview/en/invitation.tmpl": `{{define "subject"}}Your interview: {{.Data.role}}{{end}}`,
		"interview/data.json":          `{"role": "Engineer"}`,
		"job/layout.txt":               `{{define "letter"}}{{template "lead" .}}{{end}}`, // job is a language too
	}))
	require.NoError(t, err)
	require.NoError(t, set.Validate())
	assert.Equal(t, []string{"interview", "job"}, set.names())
	assert.Equal(t, []string{"en", "ar", "de", "es", "fr", "ja"}, set.langs)

	same, err := set.Named("")
	require.NoError(t, err)
	assert.Same(t, set, same)
	_, err = set.Named("tour")
	require.ErrorContains(t, err, `"tour"`)
	require.ErrorContains(t, err, "interview, job")

	interview, err := set.Named("interview")
	require.NoError(t, err)
	d := boardMeeting(t)
	d.Data = map[string]any{"role": "Gardener\u202e"}
	words, err := interview.Render(Invitation, d)
	require.NoError(t, err)
	assert.Equal(t, "Your interview: Gardener", words.Subject)
	assert.Contains(t, words.Text, "Date:", "what the set lacks is as it is outside")
	words, err = set.Render(Invitation, d)
	require.NoError(t, err)
	assert.Equal(t, "Invitation: Board meeting", words.Subject)
	d.Data = nil
	_, err = interview.Render(Invitation, d)
	require.ErrorContains(t, err, "interview/en/invitation.tmpl:1")
	require.ErrorContains(t, err, `"role"`)
}

func TestUnusableDirectories(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"greetings/invitation.tmpl": "greetings",
		"DE/invitation.tmpl":        "DE",
		"interview/xx1/words.tmpl":  "interview/xx1",
		"my set/en/words.tmpl":      `"my set"`,
	} {
		_, err := New(overlay(map[string]string{name: ""}))
		require.ErrorContains(t, err, want)
	}
	_, err := New(os.DirFS(filepath.Join(t.TempDir(), "absent")))
	require.ErrorIs(t, err, fs.ErrNotExist)
}

// What is wrong is found before a mail is written, with file and line.
func TestValidate(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		files map[string]string
		want  []string // one for each problem, as it begins
	}{
		{"nothing", nil, nil},
		{"a syntax error", map[string]string{"de/words.tmpl": "\n\n{{if}}"}, []string{"de/words.tmpl:3: "}},
		{"two files", map[string]string{"de/words.tmpl": "\n{{if}}", "fr/update.tmpl": "{{define}}"},
			[]string{"de/words.tmpl:2: ", "fr/update.tmpl:1: "}},
		{"a field that is not there",
			map[string]string{"ja/update.tmpl": "{{define \"lead\"}}\n{{.Headline}}{{end}}"},
			[]string{"ja/update.tmpl:2: "}},
		{"only where there is a link",
			map[string]string{"layout.html": "{{define \"address\"}}\n\n{{with mailto .}}{{.Nonsense}}{{end}}{{end}}"}, []string{"layout.html:3: "}},
		{"HTML that cannot be escaped",
			map[string]string{"layout.html": "{{define \"page\"}}\n<a href='{{.Summary}}>{{end}}"},
			[]string{"layout.html:"}},
		{"a name that nobody reads", map[string]string{"de/invitaton.tmpl": ""}, []string{"de/invitaton.tmpl: "}},
		{"in a set", map[string]string{"tour/layout.htm": "",
			"tour/en/words.tmpl": "{{define \"title\"}}{{.X}}{{end}}"},
			[]string{"tour/en/words.tmpl:1: ", "tour/layout.htm: "}},
		{"data without an example", map[string]string{"en/update.tmpl": `{{define "lead"}}{{.Data.role}}{{end}}`}, nil},
		{"data that the example lacks", map[string]string{"en/update.tmpl": `{{define "lead"}}{{.Data.role}}{{end}}`,
			"data.json": `{"name": 1}`}, []string{"en/update.tmpl:1: "}},
		{"data that is no object", map[string]string{"data.json": "{\n\"a\": 1,\n}"}, []string{"data.json:3: "}},
		{"an endless range", map[string]string{"es/invitation.tmpl": "{{define \"lead\"}}\n{{range 1000000000}}{{end}}{{end}}"}, []string{"es/invitation.tmpl:2: "}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			set, err := New(overlay(tt.files))
			require.NoError(t, err)
			err = set.Validate()
			if tt.want == nil {
				require.NoError(t, err)
				return
			}
			problems := parts(err)
			require.Len(t, problems, len(tt.want), err)
			for i, want := range tt.want {
				var p Problem
				require.ErrorAs(t, problems[i], &p)
				assert.Contains(t, p.Error(), want)
				assert.Equal(t, want[:len(p.File)], p.File)
			}
		})
	}
}

// Whatever a template does ends, and soon; the error says where.
func TestTemplatesEnd(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ source, want string }{
		"a range over a number": {"{{range 1000000000}}{{end}}", "en/invitation.tmpl:2: stopped after 100000 steps"},
		"ranges in ranges": {"{{range 1000}}{{range 1000}}{{range 1000}}{{end}}{{end}}{{end}}",
			"en/invitation.tmpl:2: stopped after 100000 steps"},
		"a range over the data": {"{{range .Data.all}}{{range $.Data.all}}{{range $.Data.all}}{{end}}{{end}}{{end}}", "en/invitation.tmpl:2: stopped after 100000 steps"},
		"continue": {"{{range 1000000000}}{{continue}}{{end}}",
			"en/invitation.tmpl:2: stopped after 100000 steps"},
		"a template calls itself": {"{{template \"lead\" .}}", ""},
		"two call each other":     {"{{template \"title\" .}}{{end}}{{define \"title\"}}{{template \"lead\" .}}", ""},
		"a tree of calls":         {"{{template \"tree\" .Summary}}{{end}}{{define \"tree\"}}{{if .}}{{template \"tree\" (slice . 1)}}{{template \"tree\" (slice . 1)}}{{end}}", "en/invitation.tmpl:2: stopped after 100000 steps"},
		"much text": {"{{range 2000}}" + string(make([]byte, 1000)) + "{{end}}",
			"en/invitation.tmpl:2: stopped after 1048576 bytes"},
		"a text that doubles": {"{{$x := .Summary}}{{range 64}}{{$x = printf \"%s%s\" $x $x}}{{end}}",
			"en/invitation.tmpl:2"},
		"an escape that doubles": {"{{$x := `\\`}}{{range 64}}{{$x = js $x}}{{end}}", "en/invitation.tmpl:2"},
		"widths from the data":   {"{{printf .Data.wide 1 900000}}", "en/invitation.tmpl:2"},
		"a format of many verbs": {"{{printf .Data.verbs .Data.text}}", "en/invitation.tmpl:2"},
		"leftovers":              {"{{printf .Data.verbs .Data.text .Data.text}}", "en/invitation.tmpl:2"},
		"a wide number":          {"{{printf \"%1000000d\" 1}}", "en/invitation.tmpl:2"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			set, err := New(overlay(map[string]string{"en/invitation.tmpl": "{{define \"lead\"}}\n" + tt.source +
				"{{end}}"}))
			require.NoError(t, err)
			d := boardMeeting(t)
			d.Summary = "twenty-four characters ."
			d.Data = map[string]any{"all": make([]any, 1000), "text": strings.Repeat("é", 400_000),
				"wide": strings.Repeat("%[2]*[1]d%[1]900000d", 5000), "verbs": strings.Repeat("%+[1]q", 5000)}
			_, err = set.Render(Invitation, d)
			require.ErrorContains(t, err, tt.want)
		})
	}
}

// A value that is not there is no text to send.
func TestAbsentValues(t *testing.T) {
	t.Parallel()
	for source, fails := range map[string]bool{
		`{{index .Data "absent"}}`:                        true,
		`{{.Data.null}}`:                                  true,
		`{{with index .Data "absent"}}{{.}}{{end}}`:       false,
		`{{.Data.said}}`:                                  false,
		`{{if .Data.null}}{{.Data.null}}{{else}}-{{end}}`: false,
	} {
		set, err := New(overlay(map[string]string{"en/invitation.tmpl": "{{define \"lead\"}}\n" + source + "{{end}}"}))
		require.NoError(t, err)
		d := Data{Data: map[string]any{"null": nil}}
		if strings.Contains(source, "said") {
			d.Data["said"] = "<no value>"
		}
		_, err = set.Render(Invitation, d)
		if !fails {
			require.NoError(t, err, source)
			continue
		}
		require.ErrorContains(t, err, "template: en/invitation.tmpl:2:", source)
	}
}

// Templates have no way to a file.
func TestNoFunctionReadsFiles(t *testing.T) {
	t.Parallel()
	for _, function := range []string{"file", "readFile", "include", "env", "glob"} {
		set, err := New(overlay(map[string]string{"en/invitation.tmpl": `{{define "lead"}}{{` + function +
			` "/etc/passwd"}}{{end}}`}))
		require.NoError(t, err)
		require.ErrorContains(t, set.Validate(), function)
	}
}

func TestExport(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "words")
	require.NoError(t, Export(dir))
	files := embeddedFiles()
	require.NoError(t, fs.WalkDir(files, ".", func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		want, err := fs.ReadFile(files, path)
		require.NoError(t, err)
		got, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(path)))
		require.NoError(t, err)
		assert.Equal(t, string(want), string(got))
		return nil
	}))
	assert.FileExists(t, filepath.Join(dir, "TEMPLATES.md"))

	// What was exported is an overlay that changes nothing.
	set, err := New(os.DirFS(dir))
	require.NoError(t, err)
	require.NoError(t, set.Validate())
	for _, kind := range kinds() {
		words, err := set.Render(kind, moved(t))
		require.NoError(t, err)
		assert.Equal(t, render(t, kind, moved(t)), words)
	}

	mine := filepath.Join(dir, "en", "words.tmpl")
	require.NoError(t, os.WriteFile(mine, []byte("mine"), 0o600))
	require.NoError(t, os.Remove(filepath.Join(dir, "layout.txt")))
	err = Export(dir)
	require.True(t, errors.Is(err, fs.ErrExist), err)
	assert.NoFileExists(t, filepath.Join(dir, "layout.txt"), "nothing is written beside what is there")
	content, err := os.ReadFile(mine)
	require.NoError(t, err)
	assert.Equal(t, "mine", string(content))
}
