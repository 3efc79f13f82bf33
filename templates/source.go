package templates

import (
	"cmp"
	"errors"
	"fmt"
	htmltemplate "html/template"
	"io/fs"
	"maps"
	"path"
	"regexp"
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

// trees are parsed definitions by their names.
type trees map[string]*parse.Tree

// A layer is one of the directories that a set is made of.
type layer struct {
	files fs.FS
	dir   string // in files; empty for the top
}

// parse reads a file. A file that is not there has no definitions.
func (l layer) parse(name string) (trees, error) {
	name = path.Join(l.dir, name)
	text, err := fs.ReadFile(l.files, name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read template %s: %w", name, err)
	}
	// Each file is parsed apart, so that an empty definition replaces one, too:
	// within one template, a definition is not replaced by an empty one.
	file, err := texttemplate.New(name).Funcs(functions()).Parse(string(text))
	if err != nil {
		return nil, fmt.Errorf("parse: %w; correct the template", err)
	}
	parsed := trees{}
	for _, t := range file.Templates() {
		if t.Name() != name {
			parsed[t.Name()] = t.Tree
		}
	}
	return parsed, nil
}

// contents are what a directory of templates has in it: languages, named sets,
// and files that look like templates and are not read.
type contents struct{ langs, sets, strays []string }

// list says what stands in a layer: a directory that holds words is a language and has its tag for
// a name; one that holds layouts or directories is a set. Hidden files are left alone.
func (l layer) list() (contents, error) {
	var c contents
	entries, err := l.entries("")
	if err != nil {
		return c, err
	}
	isWords := func(e fs.DirEntry) bool { return strings.HasSuffix(e.Name(), ".tmpl") }
	makesSet := func(e fs.DirEntry) bool {
		return !strings.HasPrefix(e.Name(), ".") && (e.IsDir() || e.Name() == textLayout || e.Name() == htmlLayout)
	}
	for _, e := range entries {
		name, at := e.Name(), path.Join(l.dir, e.Name())
		if strings.HasPrefix(name, ".") {
			continue
		}
		info, err := fs.Stat(l.files, at) // not e.Info: a link is what it leads to
		if err != nil {
			return c, fmt.Errorf("read the directory of templates: %w; remove %s or make it readable", err, at)
		}
		if !info.IsDir() {
			if name != textLayout && name != htmlLayout && isTemplate(name) {
				c.strays = append(c.strays, at)
			}
			continue
		}
		within, err := l.entries(name)
		if err != nil {
			return c, err
		}
		switch {
		case slices.ContainsFunc(within, isWords):
			tag, err := language.Parse(name)
			if err != nil || tag.String() != name {
				return c, fmt.Errorf("the directory of templates %s is no language and no set; "+
					"name it as a BCP 47 tag, such as de or pt-BR, or put its words into such a directory in it", at)
			}
			c.langs = append(c.langs, name)
			for _, e := range within {
				kind := Kind(strings.TrimSuffix(e.Name(), ".tmpl"))
				if e.Name() != wordsFile && !slices.Contains(kinds(), kind) && isTemplate(e.Name()) {
					c.strays = append(c.strays, path.Join(at, e.Name()))
				}
			}
		case l.dir == "" && slices.ContainsFunc(within, makesSet):
			if !setName.MatchString(name) {
				return c, fmt.Errorf("the set of templates %q has an unusable name; use letters, digits, - and _", name)
			}
			c.sets = append(c.sets, name)
		}
	}
	return c, nil
}

func (l layer) entries(dir string) ([]fs.DirEntry, error) {
	entries, err := fs.ReadDir(l.files, path.Join(".", l.dir, dir))
	if err != nil {
		return nil, fmt.Errorf("read the directory of templates: %w; name one that can be read", err)
	}
	return entries, nil
}

func isTemplate(name string) bool {
	return strings.HasSuffix(name, ".tmpl") || strings.HasPrefix(name, "layout.")
}

// setName keeps names to what is one element of a path on every system.
var setName = regexp.MustCompile(`^[0-9A-Za-z_-]{1,64}$`)

// A mail is what the mails of one kind and language are rendered with.
type mail struct {
	text *texttemplate.Template
	html *htmltemplate.Template
	page trees // the definitions of html

	mu  sync.Mutex // held while a template runs, as out is all templates' of a mail
	out output
}

// parse reads the English words, those of the language upon them, and the layouts.
func (s *Set) parse(lang string, kind Kind) (*mail, error) {
	text, html, words := trees{}, trees{}, trees{}
	problems := []error{s.read(text, textLayout), s.read(html, htmlLayout)}
	for _, l := range ancestry(lang) {
		problems = append(problems, s.read(words, l+"/"+wordsFile), s.read(words, l+"/"+kindFile(kind)))
	}
	if err := errors.Join(problems...); err != nil {
		return nil, err
	}
	maps.Copy(text, words)
	maps.Copy(html, words)
	m := &mail{page: html}
	limits := map[string]any{"step": m.out.step, "present": present}
	m.text = texttemplate.New("").Option("missingkey=error").Funcs(functions()).Funcs(limits)
	m.html = htmltemplate.New("").Option("missingkey=error").Funcs(functions()).Funcs(limits)
	var wrong error
	for name, tree := range text {
		_, err := m.text.AddParseTree(name, limited(tree, true))
		wrong = cmp.Or(wrong, err)
	}
	for name, tree := range html {
		_, err := m.html.AddParseTree(name, limited(tree, false))
		wrong = cmp.Or(wrong, err)
	}
	if wrong != nil {
		return nil, fmt.Errorf("use the templates: %w", wrong)
	}
	return m, nil
}

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

// ancestry is English and what leads from there to a language: for pt-BR also pt.
func ancestry(lang string) []string {
	all := []string{fallback}
	for i := range len(lang) {
		if lang[i] == '-' && lang[:i] != fallback {
			all = append(all, lang[:i])
		}
	}
	if lang != fallback {
		all = append(all, lang)
	}
	return all
}
