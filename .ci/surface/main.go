// Command surface prints every name that users of invitemailer meet: commands, flags,
// variables, exit codes, words of results, metrics, exported names, and the modules that come
// with it. What it prints is kept in the file .surface, so that a change of it is seen:
//
//	go run ./.ci/surface >.surface
package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// What the numbers of packages and of their names should stay below.
const (
	maxPackages = 14
	maxNames    = 450
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "surface:", err)
		os.Exit(1)
	}
}

func run() error {
	all := make(surface)
	help, err := output("go", "run", "./cmd/invitemailer", "--help")
	if err != nil {
		return err
	}
	all.addHelp(help)
	const direct = "{{if not (or .Main .Indirect)}}{{.Path}}{{end}}"
	modules, err := output("go", "list", "-m", "-f", direct, "all")
	if err != nil {
		return err
	}
	for path := range strings.FieldsSeq(modules) {
		all.add("module", path)
	}
	list, err := output("go", "list", "-f", "{{.Name}} {{.Dir}}", "./...")
	if err != nil {
		return err
	}
	packages := 0
	for line := range strings.Lines(list) {
		name, dir, _ := strings.Cut(strings.TrimSpace(line), " ")
		public := name != "main" && !strings.Contains(dir+"/", "/internal/")
		before := len(all["name"])
		if err := all.addPackage(dir, public); err != nil {
			return err
		}
		if exported := len(all["name"]) - before; exported > 0 {
			packages++
			fmt.Printf("%3d exported declarations: %s\n", exported, name)
		}
	}
	fmt.Printf("%d exported declarations, at most %d\n", len(all["name"]), maxNames)
	fmt.Printf("%d public packages, at most %d\n", packages, maxPackages)
	for _, kind := range slices.Sorted(maps.Keys(all)) {
		fmt.Println()
		for _, name := range slices.Sorted(maps.Keys(all[kind])) {
			fmt.Println(kind, name)
		}
	}
	return nil
}

func output(command ...string) (string, error) {
	c := exec.Command(command[0], command[1:]...)
	c.Stderr = os.Stderr
	out, err := c.Output()
	return string(out), err
}

// surface has the names by their kind, such as flag.
type surface map[string]map[string]bool

func (s surface) add(kind, name string) {
	if s[kind] == nil {
		s[kind] = make(map[string]bool)
	}
	s[kind][name] = true
}

// helpLines are what the lines of the help begin with, in sections with these titles.
var helpLines = []struct {
	kind        string
	title, line *regexp.Regexp
}{
	{"command", regexp.MustCompile(`^Commands()`), regexp.MustCompile(`^  ([a-z]+(?: [a-z]+)*)`)},
	{"flag", regexp.MustCompile(`^Flags(?: of )?(.*)`), regexp.MustCompile(`^  (?:-\w, )?(--[a-z-]+)`)},
	{"variable", regexp.MustCompile(`^Environment()`), regexp.MustCompile(`^  ([A-Z_]+ +\S+)`)},
	{"exit code", regexp.MustCompile(`^Exit codes()`), regexp.MustCompile(`^  (\d+)`)},
}

// addHelp reads the help of the command.
func (s surface) addHelp(help string) {
	title := ""
	for line := range strings.Lines(help) {
		if before, _, ok := strings.Cut(line, ":"); ok && !strings.HasPrefix(line, " ") {
			title = before
		}
		for _, h := range helpLines {
			about, name := h.title.FindStringSubmatch(title), h.line.FindStringSubmatch(line)
			if about != nil && name != nil {
				words := strings.Fields(about[1] + " " + name[1])
				s.add(h.kind, strings.Join(words, " "))
			}
		}
	}
}

// words are the types whose constants users meet in results and metrics.
var words = regexp.MustCompile(`^(Code|Kind|Level|Method|Outcome|Stage|State)$`)

var metric = regexp.MustCompile(`^"[a-z_]+_(total|seconds|bytes)"$`)

// addPackage adds the metrics of a package and, if it is public, its names and words.
func (s surface) addPackage(dir string, public bool) error {
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		return err
	}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		ast.Inspect(parsed, func(n ast.Node) bool {
			if l, ok := n.(*ast.BasicLit); ok && metric.MatchString(l.Value) {
				s.add("metric", strings.Trim(l.Value, `"`))
			}
			return true
		})
		for _, d := range parsed.Decls {
			if public {
				s.addDeclaration(parsed.Name.Name, d)
			}
		}
	}
	return nil
}

// addDeclaration adds the exported names of a declaration, and the words that it declares.
func (s surface) addDeclaration(pkg string, d ast.Decl) {
	add := func(names ...string) {
		if !slices.ContainsFunc(names, func(n string) bool { return !ast.IsExported(n) }) {
			s.add("name", pkg+"."+strings.Join(names, "."))
		}
	}
	switch d := d.(type) {
	case *ast.FuncDecl:
		if d.Recv == nil {
			add(d.Name.Name)
			break
		}
		receiver, _, _ := strings.Cut(types.ExprString(d.Recv.List[0].Type), "[")
		add(strings.TrimPrefix(receiver, "*"), d.Name.Name)
	case *ast.GenDecl:
		for _, spec := range d.Specs {
			switch spec := spec.(type) {
			case *ast.TypeSpec:
				add(spec.Name.Name)
			case *ast.ValueSpec:
				for _, name := range spec.Names {
					add(name.Name)
				}
				if t, ok := spec.Type.(*ast.Ident); ok && words.MatchString(t.Name) {
					for _, v := range spec.Values {
						s.add(strings.ToLower(t.Name), pkg+" "+strings.Trim(types.ExprString(v), `"`))
					}
				}
			}
		}
	}
}
