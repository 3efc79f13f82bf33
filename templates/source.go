package templates

import (
	"errors"
	"fmt"
	htmltemplate "html/template"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"sync"
	texttemplate "text/template"
	"text/template/parse"

	"golang.org/x/text/language"
)

// The names of files. Those with an extension of a layout stand at the top of
// a set, those of words in the directory of a language.
const (
	textLayout = "layout.txt"
	htmlLayout = "layout.html"
	sampleFile = "data.json"
	wordsFile  = "words.tmpl"
)

func kindFile(kind Kind) string { return string(kind) + ".tmpl" }

// A layer is one of the directories that a set is made of.
type layer struct {
	files fs.FS
	dir   string   // in files, with its slash; empty for the top
	read  sync.Map // from names of files to what parse gave
}

// source is a parsed file.
type source struct {
	trees trees
	err   error
}

// parse reads a file, once. A file that is not there has no definitions.
func (l *layer) parse(name string) (trees, error) {
	if before, ok := l.read.Load(name); ok {
		return before.(source).trees, before.(source).err
	}
	var s source
	path := l.dir + name
	text, err := fs.ReadFile(l.files, path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		s.err = fmt.Errorf("read template %s: %w", path, err)
	default:
		// Parsed apart, so that an empty definition replaces one too:
		// a template that exists is not replaced by an empty one.
		file, err := texttemplate.New(path).Funcs(functions()).Parse(string(text))
		if err != nil {
			s.err = fmt.Errorf("parse: %w; correct the template", err)
			break
		}
		s.trees = trees{}
		for _, t := range file.Templates() {
			if t.Name() != path {
				s.trees[t.Name()] = t.Tree
			}
		}
	}
	l.read.Store(name, s)
	return s.trees, s.err
}

// contents are what a directory of templates has in it.
type contents struct{ langs, sets, strays []string }

// list says what stands in a directory: a directory that holds words is a
// language and has its tag for a name; one that holds layouts or directories is
// a set. Hidden files are nobody's.
func list(files fs.FS, dir string) (contents, error) {
	var c contents
	at := dir
	if at == "" {
		at = "."
	}
	entries, err := fs.ReadDir(files, at)
	if err != nil {
		return c, fmt.Errorf("read the directory of templates: %w; name one that can be read", err)
	}
	for _, e := range entries {
		name, inside := e.Name(), e.Name()
		if dir != "" {
			inside = dir + "/" + name
		}
		if strings.HasPrefix(name, ".") {
			continue
		}
		info, err := fs.Stat(files, inside) // not e.Info: a link is what it leads to
		if err != nil {
			return c, fmt.Errorf("read the directory of templates: %w; remove %s or make it readable", err, inside)
		}
		if !info.IsDir() {
			if known := name == textLayout || name == htmlLayout || name == sampleFile; !known && isTemplate(name) {
				c.strays = append(c.strays, inside)
			}
			continue
		}
		within, err := fs.ReadDir(files, inside)
		if err != nil {
			return c, fmt.Errorf("read the directory of templates: %w; name one that can be read", err)
		}
		switch {
		case slices.ContainsFunc(within, func(e fs.DirEntry) bool { return strings.HasSuffix(e.Name(), ".tmpl") }):
			tag, err := language.Parse(name)
			if err != nil || tag.String() != name {
				return c, fmt.Errorf("the directory of templates %s is no language and no set; name it as a BCP 47 tag, such as de or pt-BR, or put its words into such a directory in it", inside)
			}
			c.langs = append(c.langs, name)
			for _, e := range within {
				if e.Name() != wordsFile && !slices.Contains(kinds(), Kind(strings.TrimSuffix(e.Name(), ".tmpl"))) && isTemplate(e.Name()) {
					c.strays = append(c.strays, inside+"/"+e.Name())
				}
			}
		case dir == "" && slices.ContainsFunc(within, makesSet):
			if !isSetName(name) {
				return c, fmt.Errorf("the set of templates %q has an unusable name; use letters, digits, - and _", name)
			}
			c.sets = append(c.sets, name)
		}
	}
	return c, nil
}

func makesSet(e fs.DirEntry) bool {
	return !strings.HasPrefix(e.Name(), ".") && (e.IsDir() || e.Name() == textLayout || e.Name() == htmlLayout)
}

func isTemplate(name string) bool {
	return strings.HasSuffix(name, ".tmpl") || strings.HasPrefix(name, "layout.")
}

// isSetName keeps names to what is one element of a path on every system.
func isSetName(name string) bool {
	return name != "" && len(name) <= 64 && !strings.ContainsFunc(name, func(r rune) bool {
		return (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z') && r != '-' && r != '_'
	})
}

// A mail is what the mails of one kind and language are rendered with.
type mail struct {
	text *texttemplate.Template
	html *htmltemplate.Template
	page trees // where html's definitions come from

	textMarks, htmlMarks marks
}

// locate gives an error of html/template that names a definition its file and
// line; the others have them.
func (m *mail) locate(err error) error {
	var escape *htmltemplate.Error
	if !errors.As(err, &escape) || escape.Node != nil || m.page[escape.Name] == nil {
		return err
	}
	tree := m.page[escape.Name]
	at, _ := tree.ErrorContext(tree.Root)
	return fmt.Errorf("template: %s: %w", at, err)
}

// trees are parsed definitions by their names.
type trees map[string]*parse.Tree

// read adds the definitions of a file of all layers, the highest last. They
// replace those of the same name: a text that only English has stays English.
func (s *Set) read(into trees, name string) error {
	var problems []error
	for _, l := range s.layers {
		parsed, err := l.parse(name)
		problems = append(problems, err)
		maps.Copy(into, parsed)
	}
	return errors.Join(problems...)
}

// parse reads the English words, those of the language upon them, and the
// layouts.
func (s *Set) parse(lang string, kind Kind) (*mail, error) {
	words := trees{}
	var problems []error
	text, html := trees{}, trees{}
	problems = append(problems, s.read(text, textLayout), s.read(html, htmlLayout))
	for _, l := range ancestry(lang) {
		problems = append(problems, s.read(words, l+"/"+wordsFile), s.read(words, l+"/"+kindFile(kind)))
	}
	if err := errors.Join(problems...); err != nil {
		return nil, err
	}
	maps.Copy(text, words)
	maps.Copy(html, words)
	m := &mail{
		text: texttemplate.New("").Option("missingkey=error").Funcs(functions()),
		html: htmltemplate.New("").Option("missingkey=error").Funcs(functions()),
		page: html,
	}
	for name, tree := range text {
		if _, err := m.text.AddParseTree(name, m.textMarks.guard(tree.Copy(), true)); err != nil {
			return nil, fmt.Errorf("use template %s: %w", name, err)
		}
	}
	for name, tree := range html {
		if _, err := m.html.AddParseTree(name, m.htmlMarks.guard(tree.Copy(), false)); err != nil {
			return nil, fmt.Errorf("use template %s: %w", name, err)
		}
	}
	return m, nil
}

// ancestry is English and what leads from there to a language: for pt-BR also
// pt.
func ancestry(lang string) []string {
	if lang == fallback {
		return []string{fallback}
	}
	all := []string{fallback}
	for i := range len(lang) {
		if lang[i] == '-' && lang[:i] != fallback {
			all = append(all, lang[:i])
		}
	}
	return append(all, lang)
}
