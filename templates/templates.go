// Package templates writes the words of a mail about a calendar event: its
// subject, its letter in plain text and its page in HTML.
//
// A [Set] knows one mail for each [Kind]. [Set.Render] takes a [Data] and
// gives [Words]:
//
//	set, err := templates.New()
//	…
//	words, err := set.Render(templates.Invitation, templates.Data{
//		Summary:   "Board meeting",
//		Start:     start, // in the event's zone
//		End:       end,
//		TZID:      "Europe/London",
//		Location:  "Board room",
//		Organizer: templates.Person{Name: "Jane Doe", Email: "jane@example.com"},
//	})
//
// # The files
//
// The words stand apart from the layout, so that a language is a directory of
// short files and a layout serves all languages:
//
//	layout.html            "page": the HTML page, by html/template
//	layout.txt             "letter": the plain text, by text/template
//	en/words.tmpl          the labels that every mail shares
//	en/invitation.tmpl     "subject", "lead" and "closing" of an invitation;
//	                       update, cancellation and withdrawal likewise
//
// The files of words are read by both layouts: the same sentence is escaped in
// the page and left as it is in the letter.
//
// # What a template sees
//
// Dot is a [Data], cleaned: fields of one line have neither line breaks nor
// control characters, none has bidirectional controls, LocationURL is an http
// or https link or empty. Besides the functions of text/template there are
//
//	when .          the time of the event, in words
//	value .Old      one side of a [Change], in words; empty if there was nothing
//	link .URL       the argument if it is an http or https link, else empty
//	mailto .ReplyTo the argument if it can follow "mailto:", else empty
//	brief .URL      a long text cut to what is worth showing
//	lines .Description  the lines of a text
//
// In layout.txt a tab ends a label: the values of neighbouring lines are
// aligned, and wrapped under themselves. Lines are wrapped at 76 columns.
//
// A template that asks for a key which Data.Data does not hold is an error
// that names file and line; write {{with index .Data "key"}} for what may be
// absent.
package templates

import (
	"bytes"
	"embed"
	"fmt"
	htmltemplate "html/template"
	"io"
	"io/fs"
	"sync"
	texttemplate "text/template"
)

// fallback is the language every text exists in.
const fallback = "en"

//go:embed files
var embedded embed.FS

// A Set renders the mails of all kinds. It is safe for concurrent use.
//
// A kind is parsed when it is first rendered, and once: a program that sends
// nothing pays for nothing.
type Set struct {
	kinds   map[Kind]func() (*parsed, error)
	buffers sync.Pool
}

// parsed is what the mails of one kind are rendered with.
type parsed struct {
	text *texttemplate.Template
	html *htmltemplate.Template
}

// New returns the embedded set. The error says which file is missing; files
// are parsed later, by the first Render of their kind.
func New() (*Set, error) {
	files, err := fs.Sub(embedded, "files")
	if err != nil {
		return nil, fmt.Errorf("open the embedded templates: %w", err)
	}
	return newSet(files)
}

func newSet(files fs.FS) (*Set, error) {
	s := &Set{
		kinds:   make(map[Kind]func() (*parsed, error)),
		buffers: sync.Pool{New: func() any { return new(bytes.Buffer) }},
	}
	for _, kind := range []Kind{Invitation, Update, Cancellation, Withdrawal} {
		for _, name := range append(wordFiles(kind), "layout.txt", "layout.html") {
			if _, err := fs.Stat(files, name); err != nil {
				return nil, fmt.Errorf("find the templates of the %s mail: %w; put the file back", kind, err)
			}
		}
		s.kinds[kind] = sync.OnceValues(func() (*parsed, error) { return parse(files, kind) })
	}
	return s, nil
}

func wordFiles(kind Kind) []string {
	return []string{fallback + "/words.tmpl", fallback + "/" + string(kind) + ".tmpl"}
}

func parse(files fs.FS, kind Kind) (*parsed, error) {
	text := texttemplate.New("").Option("missingkey=error").Funcs(functions())
	html := htmltemplate.New("").Option("missingkey=error").Funcs(functions())
	// Not ParseFS: it names a template by the last element of its path, and
	// an error has to say which language's file it means.
	for _, name := range append(wordFiles(kind), "layout.txt", "layout.html") {
		source, err := fs.ReadFile(files, name)
		if err != nil {
			return nil, fmt.Errorf("read template %s: %w", name, err)
		}
		if name != "layout.html" {
			if _, err := text.New(name).Parse(string(source)); err != nil {
				return nil, fmt.Errorf("parse for plain text: %w; correct the template", err)
			}
		}
		if name != "layout.txt" {
			if _, err := html.New(name).Parse(string(source)); err != nil {
				return nil, fmt.Errorf("parse for HTML: %w; correct the template", err)
			}
		}
	}
	return &parsed{text: text, html: html}, nil
}

// Render writes the mail of the given kind. It sets d.Kind to kind and d.Lang
// to the language it writes in, which is English so far.
//
// An error comes from a broken template or from data that a template asks for
// and d does not have; it names the template and the line.
func (s *Set) Render(kind Kind, d Data) (Words, error) {
	load, ok := s.kinds[kind]
	if !ok {
		return Words{}, fmt.Errorf("no templates for a mail of kind %q; use one of invitation, update, cancellation, withdrawal", kind)
	}
	t, err := load()
	if err != nil {
		return Words{}, err
	}
	d.Kind, d.Lang = kind, fallback
	if kind != Update {
		d.Changes = nil
	}
	d = d.cleaned()

	words := Words{Lang: d.Lang}
	if words.Subject, err = s.execute(t.text, "subject", d); err != nil {
		return Words{}, fmt.Errorf("write the subject of the %s: %w; correct the template or give it the data it names", kind, err)
	}
	words.Subject = oneLine(words.Subject)
	if words.Text, err = s.execute(t.text, "letter", d); err != nil {
		return Words{}, fmt.Errorf("write the plain text of the %s: %w; correct the template or give it the data it names", kind, err)
	}
	words.Text = wrap(words.Text)
	if words.HTML, err = s.execute(t.html, "page", d); err != nil {
		return Words{}, fmt.Errorf("write the HTML of the %s: %w; correct the template or give it the data it names", kind, err)
	}
	return words, nil
}

// executor is what text/template and html/template have in common.
type executor interface {
	ExecuteTemplate(w io.Writer, name string, data any) error
}

func (s *Set) execute(t executor, name string, d Data) (string, error) {
	buf := s.buffers.Get().(*bytes.Buffer)
	defer s.buffers.Put(buf)
	buf.Reset()
	if err := t.ExecuteTemplate(buf, name, &d); err != nil {
		return "", err
	}
	return buf.String(), nil
}

func functions() map[string]any {
	return map[string]any{
		"when":   when,
		"value":  Value.words,
		"link":   link,
		"mailto": mailto,
		"brief":  brief,
		"lines":  lines,
	}
}
