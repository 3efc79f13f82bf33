// Package preview makes one HTML page of mails, to look at them before their readers do.
//
//	err := preview.Page(w, []preview.Mail{{Name: "ann.eml", Raw: data, ReaderTZID: "Europe/Berlin"}},
//		preview.Options{Now: time.Now()})
//
// Each mail is shown as its reader would see it: the HTML in a wide frame and at the width of a
// phone, the plain text, and the event as a calendar would show it by the reader's clocks. Below
// are the findings of [lint.Check] with their sources, the headers decoded, the parts with their
// sizes and encodings, and the iCalendar text. The page is one file without a script that asks no
// network.
//
// A mail may be anything, hostile too. What is not a mail is shown as far as it can be read, and
// the page says why the rest is not. The HTML stands in a frame without any permission (HTML
// standard, the sandbox attribute), and the Content Security Policy of the page, which such a frame
// inherits, lets nothing load. What a policy cannot hold back, such as a connection that is opened
// ahead of a click, is taken out of the copy that is shown. Pictures are therefore missing, those
// inside the mail included.
//
// A [Writer] takes mails one at a time, and keeps none. It shows 200 of them and counts the rest,
// for a browser will not open ten thousand. One mail is read up to [lint.MaxSize], and of what is
// longer than a person reads, the beginning is shown.
package preview

import (
	"cmp"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"io"
	"sync"
	"time"

	"github.com/invitemailer/invitemailer/mailer/lint"
)

// Mail is a mail to be shown. Only Raw is required; what else is known is shown beside it.
type Mail struct {
	// Name is the name of the file with the mail in the directory of the page, which the page links
	// to. May be empty.
	Name string
	// Raw is the message (RFC 5322), or an iCalendar text alone.
	Raw []byte
	// InviteID, Kind and Outcome are what a receipt says of the mail, such as "interview-4711",
	// "invitation" and "sent".
	InviteID, Kind, Outcome string
	// ReaderTZID is the IANA name of the reader's zone, such as "Europe/Berlin". If it is empty the
	// event is shown in its own zone.
	ReaderTZID string
	// Findings are what the rules say. If they are nil, [lint.Check] is asked; an empty slice says
	// that there are none.
	Findings []lint.Finding
}

// Options are about the whole page.
type Options struct {
	// Title is the heading; "Mail preview" if it is empty.
	Title string
	// Now is the time of the check; see [lint.Options]. If it is not zero, the page tells it.
	Now time.Time
}

// maxMails is how many mails are shown.
const maxMails = 200

//go:embed page.html page.css
var files embed.FS

// page is parsed when it is first asked for.
var page = sync.OnceValue(func() *template.Template {
	t := template.New("page").Funcs(template.FuncMap{"count": count})
	return template.Must(t.ParseFS(files, "page.html", "page.css"))
})

// Page writes the page with these mails.
func Page(w io.Writer, mails []Mail, o Options) error {
	p, err := NewWriter(w, o)
	if err != nil {
		return err
	}
	for i := range mails {
		if err := p.Add(mails[i]); err != nil {
			return err
		}
	}
	return p.Close()
}

// Writer writes a page as the mails come. It is not safe for concurrent use.
type Writer struct {
	w       io.Writer
	options Options
	added   int
	errors  int // mails with a finding of that level
	closed  bool
	err     error // the first one; nothing is written after it
}

// NewWriter begins a page. Close must be called to end it.
func NewWriter(w io.Writer, o Options) (*Writer, error) {
	o.Title = cmp.Or(o.Title, "Mail preview")
	p := &Writer{w: w, options: o}
	return p, p.write("head", o)
}

// Add writes a mail. An error is one of writing and ends the page: a mail that cannot be read is
// shown as far as it can.
func (p *Writer) Add(m Mail) error {
	if p.closed {
		return errors.New("the preview page is closed; begin another one")
	}
	p.added++
	if p.hidden() > 0 {
		return p.err
	}
	v := p.view(m)
	if v.Errors > 0 {
		p.errors++
	}
	return p.write("mail", v)
}

// hidden counts the mails that are not shown.
func (p *Writer) hidden() int { return max(0, p.added-maxMails) }

// Close ends the page. It does not close the io.Writer below.
func (p *Writer) Close() error {
	if p.closed {
		return p.err
	}
	p.closed = true
	return p.write("foot", foot{
		Added: p.added, Shown: p.added - p.hidden(), Hidden: p.hidden(), Errors: p.errors, Now: p.options.Now,
	})
}

// foot is what is known at the end.
type foot struct {
	Added, Shown, Hidden, Errors int
	Now                          time.Time
}

// write returns the first error that there was.
func (p *Writer) write(name string, data any) error {
	if p.err != nil {
		return p.err
	}
	if err := page().ExecuteTemplate(p.w, name, data); err != nil {
		p.err = fmt.Errorf("write the preview page: %w", err)
	}
	return p.err
}
