package templates

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"maps"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// A Sample is one mail about an event that is hard to write about.
type Sample struct {
	Set     string  // the name of the set; empty for the main one
	Event   string  // the event: "hostile"
	Kind    Kind    // "invitation"
	Lang    string  // "de"
	Data    Data    // what the template was given
	Content Content // what came of it, unless Err
	Err     error   // of Render

	exemplary bool // Data.Data is an example that there is
}

// Samples renders every kind in every language of s, then of its named sets, about events that are
// hard: empty, long, hostile, right to left, across zones and midnights. Data.Data is what the
// set's data.json says: an object such as a caller would pass.
func (s *Set) Samples() iter.Seq[Sample] {
	return func(yield func(Sample) bool) {
		for _, set := range s.all() {
			example, found, err := set.example()
			for _, lang := range set.langs {
				for _, kind := range kinds() {
					for _, e := range hardEvents() {
						e.data.Lang, e.data.Data = lang, example
						sample := Sample{Set: set.name, Event: e.name, Kind: kind, Lang: lang, Data: e.data, Err: err,
							exemplary: found}
						if err == nil {
							sample.Content, sample.Err = set.Render(kind, sample.Data)
						}
						if !yield(sample) {
							return
						}
					}
				}
			}
		}
	}
}

// all is s and its named sets.
func (s *Set) all() []*Set {
	all := []*Set{s}
	for _, name := range s.names() {
		all = append(all, s.named[name])
	}
	return all
}

// A Problem is one thing wrong with the templates.
type Problem struct {
	File string // "en/invitation.tmpl"; empty if no file is known
	Line int    // counted from 1; 0 if no line is known
	Err  error
}

// Error is the problem on one line.
func (p Problem) Error() string {
	switch {
	case p.File == "":
		return p.Err.Error()
	case p.Line == 0:
		return p.File + ": " + p.Err.Error()
	}
	return fmt.Sprintf("%s:%d: %v", p.File, p.Line, p.Err)
}

// Unwrap is the error that Render gave.
func (p Problem) Unwrap() error { return p.Err }

// lacksKey recognizes text/template's complaint about a key that data lacks. It has no type.
func lacksKey(err error) bool {
	text := err.Error()
	return strings.Contains(text, "map has no entry for key ") || strings.Contains(text, "nil data; no entry for key ")
}

// Validate parses and executes everything with [Set.Samples]. The error joins (see [errors.Join]) a
// [Problem] for each thing that is wrong, sorted by file and line. What templates ask of Data.Data
// is held against data.json where there is one; without it, a key that no data has is left to the
// mails, which may have it.
func (s *Set) Validate() error {
	found := map[string]Problem{}
	add := func(p Problem) {
		key := p.Error()
		if p.Line != 0 {
			key = fmt.Sprint(p.File, ":", p.Line) // one mistake is met in many mails
		}
		if _, known := found[key]; !known {
			found[key] = p
		}
	}
	stray := errors.New("is no template that is read; see the names of the embedded ones")
	for _, set := range s.all() {
		for _, l := range set.layers[1:] {
			c, _ := l.list() // New has listed it without an error
			for _, file := range c.strays {
				add(Problem{File: file, Err: stray})
			}
		}
	}
	for sample := range s.Samples() {
		if sample.Err == nil || !sample.exemplary && lacksKey(sample.Err) {
			continue
		}
		for _, err := range parts(sample.Err) {
			add(problem(err))
		}
	}
	sorted := slices.SortedFunc(maps.Values(found), func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Error(), b.Error()))
	})
	var problems []error
	for _, p := range sorted {
		problems = append(problems, p)
	}
	return errors.Join(problems...)
}

// parts are the errors that were joined, if err itself is that.
func parts(err error) []error {
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return []error{err}
	}
	var all []error
	for _, e := range joined.Unwrap() {
		all = append(all, parts(e)...)
	}
	return all
}

// place is how an error of text/template ("template: FILE:LINE: …") or
// html/template ("html/template:FILE:LINE: …") says where it is.
var place = regexp.MustCompile("template: ?([^ :]+):([0-9]+)")

// problem finds file and line in an error.
func problem(err error) Problem {
	var known Problem
	if errors.As(err, &known) {
		return known
	}
	p := Problem{Err: err}
	if found := place.FindStringSubmatch(err.Error()); found != nil {
		p.File = found[1]
		p.Line, _ = strconv.Atoi(found[2])
	}
	return p
}

// example is the data that the highest data.json has, and whether there is one.
func (s *Set) example() (map[string]any, bool, error) {
	for _, l := range slices.Backward(s.layers) {
		file := path.Join(l.dir, sampleFile)
		source, err := fs.ReadFile(l.files, file)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, false, fmt.Errorf("read the example data: %w", err)
		}
		var example map[string]any
		if err := json.Unmarshal(source, &example); err != nil {
			at := 0
			if syntax := (*json.SyntaxError)(nil); errors.As(err, &syntax) {
				at = min(int(syntax.Offset), len(source))
			}
			return nil, true, Problem{File: file, Line: 1 + strings.Count(string(source[:at]), "\n"),
				Err: fmt.Errorf("%w; write one JSON object, as mail.data is", err)}
		}
		return example, true, nil
	}
	return nil, false, nil
}
