package record

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"strings"

	"github.com/invitemailer/invitemailer/mailer"
)

// Format is how records are written down.
type Format string

// The formats. The zero Format is Auto.
const (
	// Auto goes by the extension of the name: .json, .jsonl or .ndjson, .csv.
	// Anything else, standard input included, is JSON Lines if its first line
	// is a whole JSON value, else one object or array. CSV is never guessed.
	Auto      Format = "auto"
	JSON      Format = "json"  // one object, or an array of objects
	JSONLines Format = "jsonl" // one object a line
	CSV       Format = "csv"   // a header row of dotted names, one record a row
)

// MaxRecord is the size of the longest record that is read, in octets.
const MaxRecord = 1 << 20

// Source is where a record stands: the Tag of every item.
type Source struct {
	File string // as it was given; "-" is standard input
	Line int    // on which the record begins, or the text is wrong, from 1; 0 is the file as a whole
	// ID is the smart_invite_id with the blanks around it, as it stands in CSV, where they are not
	// taken for a part of it; empty if there are none. An invite may be on record by that name.
	ID string
}

// String returns file:line, as editors understand it.
func (s Source) String() string {
	if s.Line == 0 {
		return s.File
	}
	return fmt.Sprintf("%s:%d", s.File, s.Line)
}

// Options shape reading. The zero value reads any format and any method.
type Options struct {
	Format Format
	// Method, if set, is the method of every record: one that names none gets
	// it, one that names another is invalid.
	Method mailer.Method
}

// Files reads the records of several files, one file after the other and each only as far as the
// items are taken. The name "-" is stdin. A file that cannot be read is one item whose Err has
// [mailer.CodeNoInput], and the others go on. Files never closes stdin.
func Files(names []string, stdin io.Reader, o Options) iter.Seq[mailer.Item] {
	return func(yield func(mailer.Item) bool) {
		for _, name := range names {
			if !readFile(name, stdin, o, yield) {
				return
			}
		}
	}
}

func readFile(name string, stdin io.Reader, o Options, yield func(mailer.Item) bool) bool {
	if name == "-" {
		return newReader(name, o, yield).read(stdin)
	}
	f, err := os.Open(name)
	if err != nil {
		return yield(unreadable(Source{File: name}, openProblem(err), err))
	}
	defer func() { _ = f.Close() }() // nothing was written
	if info, err := f.Stat(); err == nil && info.IsDir() {
		return yield(unreadable(Source{File: name}, "is a directory; name the files in it", nil))
	}
	return newReader(name, o, yield).read(f)
}

func openProblem(err error) string {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "there is no such file; check the name"
	case errors.Is(err, fs.ErrPermission):
		return "may not be read; check its permissions"
	default:
		var path *fs.PathError
		if errors.As(err, &path) {
			err = path.Err
		}
		return fmt.Sprintf("cannot be opened: %v; check the name and its permissions", err)
	}
}

// Read reads the records of r, which is called name: in messages, and where the format goes by the
// extension. An array in JSON is read as a whole, so that nothing of it is handed out if its syntax
// is wrong anywhere.
func Read(name string, r io.Reader, o Options) iter.Seq[mailer.Item] {
	return func(yield func(mailer.Item) bool) {
		newReader(name, o, yield).read(r)
	}
}

// reader reads one file. Its methods that hand out items return false when no more are wanted.
type reader struct {
	name  string
	o     Options
	yield func(mailer.Item) bool
	index index
}

func newReader(name string, o Options, yield func(mailer.Item) bool) *reader {
	return &reader{name: name, o: o, yield: yield, index: newIndex()}
}

// bom is the byte order mark that some programs write before UTF-8.
var bom = []byte("\xef\xbb\xbf")

func (r *reader) read(text io.Reader) bool {
	in := bufio.NewReaderSize(text, MaxRecord+len("\r\n")) // so that any line of JSON Lines fits
	if head, _ := in.Peek(len(bom)); bytes.Equal(head, bom) {
		_, _ = in.Discard(len(bom))
	}
	format := r.o.Format
	if format == "" || format == Auto {
		format = byExtension(r.name)
	}
	if format == Auto {
		var (
			problem string
			err     error
		)
		if format, problem, err = sniff(in); problem != "" {
			return r.giveUp(0, problem, err)
		}
	}
	switch format {
	case JSON:
		return r.readJSON(in)
	case JSONLines:
		return r.readLines(in)
	case CSV:
		return r.readCSV(in)
	default:
		return r.giveUp(0, fmt.Sprintf("there is no format %q; use json, jsonl, csv or auto", string(format)), nil)
	}
}

func byExtension(name string) Format {
	switch strings.ToLower(filepath.Ext(name)) {
	case ".json":
		return JSON
	case ".jsonl", ".ndjson":
		return JSONLines
	case ".csv":
		return CSV
	}
	return Auto
}

// fail hands out an item for a record of which nothing could be read.
func (r *reader) fail(line int, message string) bool {
	return r.yield(failed(mailer.CodeInvalid, Source{File: r.name, Line: line}, message, nil))
}

// giveUp hands out an item for a file of which nothing, or nothing more, can be read.
func (r *reader) giveUp(line int, message string, cause error) bool {
	return r.yield(unreadable(Source{File: r.name, Line: line}, message, cause))
}

func unreadable(s Source, message string, cause error) mailer.Item {
	return failed(mailer.CodeNoInput, s, message, cause)
}

func failed(code mailer.Code, s Source, message string, cause error) mailer.Item {
	return mailer.Item{Tag: s, Err: &mailer.Error{Stage: mailer.StageRead, Code: code, Message: message, Err: cause}}
}

const isEmpty = "is empty; put at least one record into it"
