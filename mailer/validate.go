package mailer

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/language"

	"github.com/invitemailer/invitemailer/internal/address"
	"github.com/invitemailer/invitemailer/internal/message"
	"github.com/invitemailer/invitemailer/internal/safetext"
	"github.com/invitemailer/invitemailer/internal/zone"
	"github.com/invitemailer/invitemailer/mailer/lint"
	"github.com/invitemailer/invitemailer/templates"
)

// exampleCallback is in the API's documentation, and must not be used.
const exampleCallback = "https://yourapp.example.com/cronofy/smart_invite/notifications"

// maxProblems is how many problems of one invite are told.
const maxProblems = 8

// problems collects what is wrong with an invite, so that all of it is told at once.
type problems struct {
	field string // of the first
	texts []string
	more  int
}

func (p *problems) add(field, format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	switch len(p.texts) {
	case 0:
		p.field = field
	case maxProblems:
		p.more++
		return
	default:
		text = field + ": " + text
	}
	p.texts = append(p.texts, text)
}

// addError adds an error, if there is one.
func (p *problems) addError(field string, err error) {
	if err != nil {
		p.add(field, "%v", err)
	}
}

func (p *problems) err() *Error {
	if len(p.texts) == 0 {
		return nil
	}
	text := strings.Join(p.texts, "; ")
	if p.more > 0 {
		text += fmt.Sprintf("; and %d more", p.more)
	}
	return &Error{Stage: StageRead, Code: CodeInvalid, Field: p.field, Message: text}
}

// check reads an item into a job, or says everything that is wrong with it.
func (m *Mailer) check(item *Item) (*job, *Error) {
	j := &job{m: m, ledger: m.cfg.Ledger, Group: item.group(), single: item.Group == nil, repeats: item.Repeats}
	if j.Method == "" {
		j.Method = Request
	}
	var p problems
	j.checkIdentity(&p)
	j.checkOrganizer(&p)
	if j.Event != nil {
		j.checkEvent(&p)
	} else if j.Method == Request {
		p.add("event", "is missing; an invitation needs at least event.summary, event.start and event.end")
	}
	p.text("callback_url", j.CallbackURL, 0)
	if j.CallbackURL != "" {
		p.addError("callback_url", checkURL(j.CallbackURL))
	}
	if j.callback() == exampleCallback && !m.cfg.PastWarns && !m.cfg.DryRun {
		j.warn("example_callback_url", "callback_url", "this is the example of the API's documentation, "+
			"where nothing answers; give a URL of your own, or leave it out")
	}
	j.checkMail(&p)
	if err := p.err(); err != nil {
		return nil, err
	}
	j.start()
	return j, nil
}

func (j *job) warn(rule, field, message string) {
	j.findings = append(j.findings, Finding{Rule: rule, Level: lint.Warning, Field: field, Message: message})
}

func (j *job) callback() string {
	if j.CallbackURL != "" {
		return j.CallbackURL
	}
	return j.m.cfg.CallbackURL
}

func (j *job) checkIdentity(p *problems) {
	switch {
	case strings.TrimFunc(j.ID, safetext.IsBlank) == "":
		p.add("smart_invite_id", "is missing; give the event an id of your own")
	case !utf8.ValidString(j.ID) || strings.ContainsFunc(j.ID, unicode.IsControl):
		p.add("smart_invite_id", "has control characters or is not UTF-8; use printable text")
	}
	switch j.Method {
	case Request, Cancel, Remove:
	default:
		p.add("method", "%q is not one of request, cancel, remove", j.Method)
	}
	if len(j.Recipients) == 0 {
		p.add("recipients", "is empty; name at least one recipient")
	}
	seen := make(map[string]int, len(j.Recipients))
	for i, r := range j.Recipients {
		field := "recipient"
		if !j.single {
			field = fmt.Sprintf("recipients[%d]", i)
		}
		a, err := address.Parse(r.Email)
		switch first, twice := seen[a.Key()]; {
		case r.Email == "":
			p.add(field+".email", "is missing; give the address to invite")
		case err != nil:
			p.addError(field+".email", err)
		case twice:
			p.add(field+".email", "is the same as recipients[%d].email; name everybody once", first)
		default:
			seen[a.Key()] = i
		}
		p.text(field+".name", r.Name, 0)
		j.checkZone(field+".tzid", r.TZID, p)
		checkLocale(field+".locale", r.Locale, p)
		j.recipients = append(j.recipients, &recipient{Recipient: r,
			mailbox: message.Mailbox{Name: address.CleanName(r.Name, a), Address: a}})
	}
}

func (j *job) checkOrganizer(p *problems) {
	m, named := j.m, Organizer{}
	if j.Organizer != nil {
		named = *j.Organizer
	}
	p.text("organizer.name", named.Name, 0)
	switch {
	case named.Email != "":
		o, err := named.mailbox()
		if err != nil {
			p.addError("organizer.email", err)
			return
		}
		j.organizer = o
	case isSet(m.organizer):
		j.organizer, j.organizerDefault = m.organizer, named.Name == ""
		if named.Name != "" {
			j.organizer.Name = address.CleanName(named.Name, j.organizer.Address)
		}
	case named.Name != "":
		p.add("organizer.email",
			"is missing although the organizer has a name; give both, or set Config.Organizer.Email")
		return
	case j.Method == Request && !isSet(m.from):
		p.add("organizer.email", "nobody invites; name the organizer in the record, or set Config.Organizer.Email")
		return
	}
	if !isSet(m.from) && isSet(j.organizer) && !m.fromAllowed(j.organizer.Address) {
		p.add("organizer.email", "%s", senderNotAllowed(j.organizer.Address).Message)
	}
}

func (j *job) checkMail(p *problems) {
	p.text("mail.subject", j.Mail.Subject, 0)
	p.anyText("mail.data", j.Mail.Data)
	j.replyTo = j.m.replyTo
	if j.Mail.ReplyTo != "" {
		a, err := address.Parse(j.Mail.ReplyTo)
		p.addError("mail.reply_to", err)
		j.replyTo = message.Mailbox{Address: a}
	}
	checkLocale("mail.locale", j.Mail.Locale, p)
	j.templates = j.m.cfg.Templates
	if j.Mail.Template == "" {
		return
	}
	named, ok := j.templates.(interface {
		Named(name string) (*templates.Set, error)
	})
	if !ok {
		p.add("mail.template", "there are no named sets of templates here; leave it out")
		return
	}
	set, err := named.Named(j.Mail.Template)
	p.addError("mail.template", err)
	j.templates = set
}

// checkZone holds a name, if there is one, to the names of zones.
func (j *job) checkZone(field, name string, p *problems) bool {
	if name == "" {
		return true
	}
	_, ok := zone.Load(name)
	if !ok {
		p.add(field, "%q is no time zone; use an IANA name such as Europe/London", name)
	}
	return ok
}

func checkLocale(field, s string, p *problems) {
	if s == "" {
		return
	}
	_, err := language.Parse(s)
	if _, unknown := errors.AsType[language.ValueError](err); err != nil && !unknown {
		p.add(field, "%q is no language tag; use one such as en or pt-BR", s)
	}
}

// checkURL accepts absolute http and https URLs.
func checkURL(s string) error {
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return errors.New("is not a URL that begins with https:// or http://")
	}
	return nil
}
