package mailer_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/invitemailer/invitemailer/mailer"
	"github.com/invitemailer/invitemailer/mailer/submission"
)

// TestEveryPointIsOnTheList reads the code: each call that names a point at
// which a run can die names one of the list, each of the list is named, and what
// changes the world is called nowhere else than between two of them.
func TestEveryPointIsOnTheList(t *testing.T) {
	t.Parallel()
	for dir, tc := range map[string]struct {
		listed  []string
		callers []string            // functions that take a point
		guarded map[string][]string // calls that change the world, and the files they may stand in
	}{
		".": {
			listed: text(mailer.Steps()), callers: []string{"step", "Step"},
			guarded: map[string][]string{
				"Ledger.Claim": nil, "Ledger.Create": nil, "Ledger.Submitting": nil, "Ledger.Finish": nil, "Ledger.Release": nil,
				"ledger.Claim": {"step.go"}, "ledger.Create": {"step.go"}, "ledger.Submitting": {"step.go"}, "ledger.Finish": {"step.go"}, "ledger.Release": {"step.go"},
				"API.Create": {"ask.go"}, "API.Cancel": {"ask.go"}, "API.Remove": {"ask.go"}, "Submitter.Submit": {"deliver.go"},
			},
		},
		"submission": {
			listed: text(submission.Moments()), callers: []string{"moment", "Moment"},
			guarded: map[string][]string{"c.command": {"transaction.go"}, "c.say": {"group.go"}, "c.send": {"transaction.go"}, "c.finish": {"content.go"}, "s.connect": {"submitter.go", "check.go"}},
		},
	} {
		t.Run(dir, func(t *testing.T) {
			t.Parallel()
			values := make(map[string]string) // of constants, by name
			used := make(map[string]bool)
			for _, file := range sources(t, dir) {
				parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
				require.NoError(t, err)
				ast.Inspect(parsed, func(n ast.Node) bool {
					switch n := n.(type) {
					case *ast.ValueSpec:
						for i, name := range n.Names {
							if i < len(n.Values) {
								if lit, ok := n.Values[i].(*ast.BasicLit); ok && lit.Kind == token.STRING {
									values[name.Name] = strings.Trim(lit.Value, `"`)
								}
							}
						}
					case *ast.CallExpr:
						inspectCall(t, file, n, tc.callers, tc.guarded, used)
					}
					return true
				})
			}
			var named []string
			for name := range used {
				named = append(named, values[name])
			}
			assert.ElementsMatch(t, tc.listed, named, "what is called, and what is listed")
		})
	}
}

func inspectCall(t *testing.T, file string, call *ast.CallExpr, callers []string, guarded map[string][]string, used map[string]bool) {
	t.Helper()
	selector, ok := call.Fun.(*ast.SelectorExpr)
	if !ok {
		return
	}
	for _, caller := range callers {
		if selector.Sel.Name != caller || len(call.Args) != 1 {
			continue
		}
		name, ok := call.Args[0].(*ast.Ident)
		if assert.Truef(t, ok, "%s: a point is named by its constant", file) {
			used[name.Name] = true
		}
	}
	owner := ""
	switch x := selector.X.(type) {
	case *ast.Ident:
		owner = x.Name
	case *ast.SelectorExpr:
		owner = x.Sel.Name
	}
	if allowed, ok := guarded[owner+"."+selector.Sel.Name]; ok {
		assert.Containsf(t, allowed, filepath.Base(file), "%s.%s changes the world: call it between its two points", owner, selector.Sel.Name)
	}
}

func sources(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	var files []string
	for _, e := range entries {
		if name := e.Name(); strings.HasSuffix(name, ".go") && !strings.HasSuffix(name, "_test.go") {
			files = append(files, filepath.Join(dir, name))
		}
	}
	return files
}

func text[T ~string](list []T) []string {
	var s []string
	for _, v := range list {
		s = append(s, string(v))
	}
	return s
}
