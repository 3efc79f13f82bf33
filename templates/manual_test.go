package templates

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	tablesBegin = "<!-- made by go generate from here -->\n"
	tablesEnd   = "<!-- to here -->\n"
)

// The manual's tables are the code's: every field that a template sees, with
// what its doc comment says and what it holds for a real event. go generate
// writes them anew.
func TestManual(t *testing.T) {
	t.Parallel()
	manual, err := os.ReadFile("TEMPLATES.md")
	require.NoError(t, err)
	before, rest, found := strings.Cut(string(manual), tablesBegin)
	require.True(t, found)
	_, after, found := strings.Cut(rest, tablesEnd)
	require.True(t, found)
	want := before + tablesBegin + fieldTables(t) + tablesEnd + after
	if *update {
		require.NoError(t, os.WriteFile("TEMPLATES.md", []byte(want), 0o644))
		manual = []byte(want)
	}
	assert.Equal(t, want, string(manual))
	for name := range functions() {
		assert.Contains(t, before+after, "`"+name, "the function")
	}
	for _, name := range definitions(t) {
		assert.Contains(t, before+after, "`"+name+"`", "the definition")
	}
}

// definitions are the names that English defines.
func definitions(t *testing.T) []string {
	set, err := New()
	require.NoError(t, err)
	all := trees{}
	require.NoError(t, set.read(all, "en/"+wordsFile))
	require.NoError(t, set.read(all, "en/"+kindFile(Invitation)))
	var names []string
	for name := range all {
		names = append(names, name)
	}
	return names
}

func fieldTables(t *testing.T) string {
	d := moved(t)
	d.Kind, d.Lang, d.Zone = Update, "en", loadZone(t, "Asia/Tokyo")
	d.Data = map[string]any{"room_code": "1234"}
	d = d.cleaned()
	d.setTimes(calendarOf("en", ""))
	docs := comments(t)
	var b strings.Builder
	for _, example := range []any{d, d.Organizer, d.Times[0], d.Changes[0], d.Changes[1].New} {
		v := reflect.ValueOf(example)
		name := v.Type().Name()
		fmt.Fprintf(&b, "\n### %s\n\n| field | type | what it is | example |\n|---|---|---|---|\n", name)
		for i := range v.NumField() {
			f := v.Type().Field(i)
			doc := docs[name+"."+f.Name]
			require.NotEmpty(t, doc, "the doc comment of %s.%s", name, f.Name)
			doc = strings.ReplaceAll(doc, "|", `\|`)
			fmt.Fprintf(&b, "| `.%s` | %s | %s | %s |\n", f.Name,
				strings.ReplaceAll(f.Type.String(), "templates.", ""), doc, shown(v.Field(i)))
		}
	}
	b.WriteString("\n")
	return b.String()
}

// shown is a value as a reader of the manual wants it.
func shown(v reflect.Value) string {
	switch value := v.Interface().(type) {
	case time.Time:
		if value.IsZero() {
			return "none"
		}
		return "`" + value.Format("2006-01-02 15:04 -07:00") + "`"
	case *time.Location:
		return "`" + value.String() + "`"
	case Person:
		return "`" + value.String() + "`"
	case *EventTime:
		if value == nil {
			return "none"
		}
		return "an EventTime"
	case []EventTime:
		return strconv.Itoa(len(value)) + " EventTimes"
	case []Change:
		return strconv.Itoa(len(value)) + " Changes"
	case Value:
		return "a Value"
	case map[string]any:
		return "`" + strings.TrimPrefix(fmt.Sprintf("%v", value), "map") + "`"
	case string:
		if value == "" {
			return "empty"
		}
		value, _, cut := strings.Cut(value, "\n")
		if cut {
			value += " …"
		}
		return "`" + value + "`"
	}
	return fmt.Sprintf("`%v`", v.Interface())
}

// comments are the doc comments of the fields of the package's types.
func comments(t *testing.T) map[string]string {
	docs := map[string]string{}
	for _, name := range []string{"data.go", "change.go", "time.go"} {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments)
		require.NoError(t, err)
		ast.Inspect(file, func(n ast.Node) bool {
			spec, ok := n.(*ast.TypeSpec)
			if !ok {
				return true
			}
			if s, ok := spec.Type.(*ast.StructType); ok {
				for _, field := range s.Fields.List {
					for _, id := range field.Names {
						docs[spec.Name.Name+"."+id.Name] = strings.Join(strings.Fields(field.Doc.Text()), " ")
					}
				}
			}
			return true
		})
	}
	return docs
}
