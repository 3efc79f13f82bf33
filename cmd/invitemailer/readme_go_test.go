package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// repositoryFiles are the paths of the files below a directory of the repository whose
// names match, relative to the repository.
func repositoryFiles(t *testing.T, below, pattern string) []string {
	t.Helper()
	var found []string
	visit := func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if d.Name() == "testdata" || len(d.Name()) > 2 && d.Name()[0] == '.' {
				return fs.SkipDir
			}
			return nil
		}
		if ok, _ := filepath.Match(pattern, d.Name()); ok {
			relative, err := filepath.Rel(repository, path)
			require.NoError(t, err)
			found = append(found, relative)
		}
		return nil
	}
	require.NoError(t, filepath.WalkDir(filepath.Join(repository, below), visit))
	return found
}

// trimLines takes the indentation from each line.
func trimLines(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		b.WriteString(strings.TrimLeft(line, "\t"))
	}
	return b.String()
}

// TestManualGo: the Go code that the manual shows stands in examples, which are
// compiled and run.
func TestManualGo(t *testing.T) {
	t.Parallel()
	var examples []string
	for _, file := range repositoryFiles(t, ".", "example*_test.go") {
		examples = append(examples, trimLines(repositoryText(t, file)))
	}
	require.NotEmpty(t, examples)
	for _, b := range manual(t) {
		if b.language == "go" {
			code := trimLines(b.text)
			found := slices.ContainsFunc(examples, func(e string) bool { return strings.Contains(e, code) })
			assert.True(t, found, "%s: no example_test.go has this:\n%s", b.where(), b.text)
		}
	}
}

// TestManualStates: the states that are drawn and told of are those of package ledger.
func TestManualStates(t *testing.T) {
	t.Parallel()
	b := theBlock(t, "mermaid")
	drawn := make(map[string]bool)
	arrow := regexp.MustCompile(`(?m)^ +(\S+) --> (\S+): `)
	for _, m := range arrow.FindAllStringSubmatch(b.text, -1) {
		drawn[m[1]], drawn[m[2]] = true, true
	}
	delete(drawn, "[*]")
	states := constants(t, filepath.Join("mailer", "ledger"), "State")
	assert.Len(t, states, len(drawn))
	for _, state := range states {
		assert.True(t, drawn[state], "%s is not drawn", state)
		assert.Contains(t, repositoryText(t, b.file), "\n| `"+state+"` |")
	}
}

// constants are the values of the constants of a type in a package, all of them strings.
func constants(t *testing.T, dir, typeName string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(repository, dir, "*.go"))
	require.NoError(t, err)
	var values []string
	for _, file := range files {
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		require.NoError(t, err)
		ast.Inspect(parsed, func(n ast.Node) bool {
			spec, ok := n.(*ast.ValueSpec)
			if !ok {
				return true
			}
			if id, ok := spec.Type.(*ast.Ident); ok && id.Name == typeName {
				for _, v := range spec.Values {
					if literal, ok := v.(*ast.BasicLit); ok {
						values = append(values, strings.Trim(literal.Value, `"`))
					}
				}
			}
			return true
		})
	}
	require.NotEmpty(t, values)
	return values
}

// TestManualPackages: the map of the repository has every public package, and nothing
// that is not there.
func TestManualPackages(t *testing.T) {
	t.Parallel()
	text := theBlock(t, "").text
	var listed []string
	for _, m := range regexp.MustCompile(`(?m)^(\S+)/ `).FindAllStringSubmatch(text, -1) {
		listed = append(listed, filepath.FromSlash(m[1]))
		assert.DirExists(t, filepath.Join(repository, m[1]))
	}
	for _, file := range repositoryFiles(t, ".", "*.go") {
		dir := filepath.Dir(file)
		if !strings.HasSuffix(file, "_test.go") && !strings.Contains("/"+dir+"/", "/internal/") {
			assert.Contains(t, listed, dir)
		}
	}
}

// TestContributing: the tests and fuzz targets that CONTRIBUTING.md names are there.
func TestContributing(t *testing.T) {
	t.Parallel()
	text := repositoryText(t, "CONTRIBUTING.md")
	command := regexp.MustCompile(`go test \./(\S+) .*?\^?((?:Test|Fuzz|Benchmark)\w+)`)
	named := command.FindAllStringSubmatch(text, -1)
	require.NotEmpty(t, named)
	for _, m := range named {
		found := slices.ContainsFunc(repositoryFiles(t, m[1], "*_test.go"), func(file string) bool {
			return filepath.Dir(file) == filepath.FromSlash(m[1]) &&
				strings.Contains(repositoryText(t, file), "func "+m[2])
		})
		assert.True(t, found, m[0])
	}
	scripts := regexp.MustCompile(`(?m)^(?:\.ci|testdata)/\S+`)
	for _, script := range scripts.FindAllString(text, -1) {
		assert.FileExists(t, filepath.Join(repository, script))
	}
}
