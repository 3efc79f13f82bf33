package mailer

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/language"

	"github.com/invitemailer/invitemailer/cronofy"
	"github.com/invitemailer/invitemailer/internal/address"
	"github.com/invitemailer/invitemailer/internal/message"
	"github.com/invitemailer/invitemailer/internal/safetext"
	"github.com/invitemailer/invitemailer/internal/zone"
	"github.com/invitemailer/invitemailer/templates"
)

// The limits of an event, in Unicode code points
// (https://docs.cronofy.com/developers/api/events/upsert-event/).
const (
	maxSummary     = 1024
	maxDescription = 4096
)

// longestName is how much of a field's name is told that somebody made up.
const longestName = 60

// exampleCallback is in the API's documentation, and must not be used.
const exampleCallback = "https://yourapp.example.com/cronofy/smart_invite/notifications"

// checked is a batch whose fields were read.
type checked struct {
	batch
	to               []message.Mailbox // in the order of Recipients
	organizer        message.Mailbox   // zero if nobody is named
	organizerDefault bool
	replyTo          message.Mailbox
	templates        Renderer
	findings         []Finding
}

// maxProblems is how many problems of one invite are told.
const maxProblems = 8

// problems collects what is wrong with an invite, so that all of it is told at
// once.
type problems struct {
	field string // of the first
	texts []string
	more  int
}

func (p *problems) add(field string, format string, args ...any) {
	if len(p.texts) == maxProblems {
		p.more++
		return
	}
	text := fmt.Sprintf(format, args...)
	if len(p.texts) == 0 {
		p.field = field
	} else {
		text = field + ": " + text
	}
	p.texts = append(p.texts, text)
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

// check reads an invite and says everything that is wrong with it.
func (m *Mailer) check(b batch) (*checked, *Error) {
	c := &checked{batch: b}
	if c.Method == "" {
		c.Method = Request
	}
	var p problems
	m.checkIdentity(c, &p)
	m.checkOrganizer(c, &p)
	if c.Event != nil {
		c.checkEvent(&m.zones, &p)
	} else if c.Method == Request {
		p.add("event", "is missing; an invitation needs at least event.summary, event.start and event.end")
	}
	checkText("callback_url", c.CallbackURL, 0, &p)
	if c.CallbackURL != "" {
		if err := checkURL(c.CallbackURL); err != nil {
			p.add("callback_url", "%v", err)
		}
	}
	if callback := c.callback(m); callback == exampleCallback && !m.cfg.PastWarns && !m.cfg.DryRun {
		c.warn("example_callback_url", "callback_url", "this is the example of the API's documentation, which nobody answers; give a URL of your own, or leave it out")
	}
	m.checkMail(c, &p)
	return c, p.err()
}

func (c *checked) warn(rule, field, message string) {
	c.findings = append(c.findings, Finding{Rule: rule, Level: LevelWarning, Field: field, Message: message})
}

func (c *checked) callback(m *Mailer) string {
	if c.CallbackURL != "" {
		return c.CallbackURL
	}
	return m.cfg.CallbackURL
}

func (m *Mailer) checkIdentity(c *checked, p *problems) {
	switch {
	case strings.TrimFunc(c.ID, safetext.IsBlank) == "":
		p.add("smart_invite_id", "is missing; give the event an id of your own")
	case !utf8.ValidString(c.ID) || strings.ContainsFunc(c.ID, unicode.IsControl):
		p.add("smart_invite_id", "has control characters or is not UTF-8; use printable text")
	}
	switch c.Method {
	case Request, Cancel, Remove:
	default:
		p.add("method", "%q is not one of request, cancel, remove", string(c.Method))
	}
	if len(c.Recipients) == 0 {
		p.add("recipients", "is empty; name at least one recipient")
	}
	seen := make(map[string]int, len(c.Recipients))
	for i, r := range c.Recipients {
		field := "recipient"
		if !c.single {
			field = fmt.Sprintf("recipients[%d]", i)
		}
		c.checkRecipient(r, field, seen, &m.zones, p)
	}
}

func (c *checked) checkRecipient(r Recipient, field string, seen map[string]int, z *zone.Zones, p *problems) {
	var to message.Mailbox
	if r.Email == "" {
		p.add(field+".email", "is missing; give the address to invite")
	} else if a, err := address.Parse(r.Email); err != nil {
		p.add(field+".email", "%v", err)
	} else {
		to = message.Mailbox{Name: address.CleanName(r.Name, a), Address: a}
		if first, twice := seen[a.Key()]; twice {
			p.add(field+".email", "is the same as recipients[%d].email; name everybody once", first)
		}
		seen[a.Key()] = len(c.to)
	}
	c.to = append(c.to, to)
	checkText(field+".name", r.Name, 0, p)
	if r.TZID != "" {
		if err := checkZone(r.TZID, z); err != nil {
			p.add(field+".tzid", "%v", err)
		}
	}
	checkLocale(field+".locale", r.Locale, p)
}

func (m *Mailer) checkOrganizer(c *checked, p *problems) {
	if c.Organizer != nil {
		checkText("organizer.name", c.Organizer.Name, 0, p)
	}
	switch {
	case c.Organizer != nil && c.Organizer.Email != "":
		o, err := c.Organizer.mailbox()
		if err != nil {
			p.add("organizer.email", "%v", err)
			return
		}
		c.organizer = o
	case isSet(m.organizer):
		c.organizer, c.organizerDefault = m.organizer, true
		if c.Organizer != nil && c.Organizer.Name != "" {
			c.organizer.Name = address.CleanName(c.Organizer.Name, c.organizer.Address)
			c.organizerDefault = false
		}
	case c.Organizer != nil && c.Organizer.Name != "":
		p.add("organizer.email", "is missing although the organizer has a name; give both, or set ORGANIZER_EMAIL")
		return
	case c.Method == Request && !isSet(m.from):
		p.add("organizer.email", "nobody invites; name the organizer in the record, or set ORGANIZER_EMAIL")
		return
	}
	if !isSet(m.from) && isSet(c.organizer) && !m.fromAllowed(c.organizer.Address) {
		p.add("organizer.email", "mail from %s is not allowed here; use a domain of MAIL_FROM_DOMAINS", c.organizer.Address.Domain())
	}
}

func (m *Mailer) checkMail(c *checked, p *problems) {
	checkText("mail.subject", c.Mail.Subject, 0, p)
	checkTexts("mail.data", c.Mail.Data, p)
	c.replyTo = m.replyTo
	if c.Mail.ReplyTo != "" {
		a, err := address.Parse(c.Mail.ReplyTo)
		if err != nil {
			p.add("mail.reply_to", "%v", err)
		}
		c.replyTo = message.Mailbox{Address: a}
	}
	checkLocale("mail.locale", c.Mail.Locale, p)
	c.templates = m.cfg.Templates
	if c.Mail.Template == "" {
		return
	}
	named, ok := m.cfg.Templates.(interface {
		Named(name string) (*templates.Set, error)
	})
	if !ok {
		p.add("mail.template", "there are no named sets of templates here; leave it out")
		return
	}
	set, err := named.Named(c.Mail.Template)
	if err != nil {
		p.add("mail.template", "%v", err)
		return
	}
	c.templates = set
}

// checkEvent holds an event against the API's documentation, so that what it
// would refuse is told with line and field before anybody is asked.
func (c *checked) checkEvent(z *zone.Zones, p *problems) {
	e := c.Event
	if strings.TrimSpace(e.Summary) == "" {
		p.add("event.summary", "is missing; give the event a title")
	}
	checkText("event.summary", e.Summary, maxSummary, p)
	checkText("event.description", e.Description, maxDescription, p)
	if e.Location != nil {
		checkText("event.location.description", e.Location.Description, 0, p)
		checkText("event.location.lat", e.Location.Lat, 0, p)
		checkText("event.location.long", e.Location.Long, 0, p)
	}
	checkText("event.url", e.URL, 0, p)
	checkText("event.transparency", e.Transparency, 0, p)
	checkText("event.color", e.Color, 0, p)
	checkText("event.locale", e.Locale, 0, p)
	if tag.MatchString(e.Description) {
		c.warn("html_in_description", "event.description", "this looks like HTML, and is shown as the text that it is; calendars know plain text only")
	}
	if e.TZID != "" {
		if err := checkZone(e.TZID, z); err != nil {
			p.add("event.tzid", "%v", err)
		}
	}
	start := checkTime("event.start", e.Start, z, p)
	end := checkTime("event.end", e.End, z, p)
	if start && end {
		switch {
		case e.Start.DateOnly != e.End.DateOnly:
			p.add("event.end", "is a date where the start is a time, or the other way round; give two dates or two times")
		case !e.End.Time.After(e.Start.Time):
			p.add("event.end", "is not after event.start; an event needs a duration")
		}
	}
	if e.URL != "" {
		if err := checkURL(e.URL); err != nil {
			p.add("event.url", "%v", err)
		}
	}
	for _, name := range sortedNames(e.Extra) {
		var v any
		if json.Unmarshal(e.Extra[name], &v) == nil { // what is no JSON, the client refuses
			checkTexts("event."+safetext.Short(name, longestName), v, p)
		}
		switch name {
		case "attendees":
			p.add("event.attendees", "cannot be set: a Smart Invite's attendees are its recipients")
		case "conferencing":
			p.add("event.conferencing", "is not supported with Smart Invites; put the link into event.location or event.url")
		}
	}
	c.warnOfExtra(e)
}

// warnOfExtra tells of the event's fields that are not documented; of very many,
// the first.
func (c *checked) warnOfExtra(e *cronofy.Event) {
	told := 0
	for _, name := range sortedNames(e.Extra) {
		if name == "attendees" || name == "conferencing" {
			continue
		}
		message := "this field is not documented for Smart Invites; it is passed on as it is"
		if told++; told == maxProblems {
			message += fmt.Sprintf(", as are %d more", len(e.Extra)-told)
		}
		c.warn("unknown_event_field", "event."+safetext.Short(name, longestName), message)
		if told == maxProblems {
			return
		}
	}
}

func checkTime(field string, t cronofy.EventTime, z *zone.Zones, p *problems) bool {
	if t.IsZero() {
		p.add(field, "is missing; give a time such as 2027-04-29T09:30:00Z, or a date")
		return false
	}
	if t.TZID != "" {
		if err := checkZone(t.TZID, z); err != nil {
			p.add(field+".tzid", "%v", err)
			return false
		}
	}
	return true
}

// tag is what HTML in a description begins with.
var tag = regexp.MustCompile(`</?[a-zA-Z][^<>]*>`)

// checkZone says whether a name stands for a zone.
func checkZone(name string, z *zone.Zones) error {
	if _, ok := z.Load(name); !ok {
		return fmt.Errorf("%q is no time zone; use an IANA name such as Europe/London", name)
	}
	return nil
}

func checkLocale(field, s string, p *problems) {
	if s == "" {
		return
	}
	if _, err := language.Parse(s); err != nil {
		var unknown language.ValueError
		if !errors.As(err, &unknown) {
			p.add(field, "%q is no language tag; use one such as en or pt-BR", s)
		}
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

func sortedNames[V any](fields map[string]V) []string {
	return slices.Sorted(maps.Keys(fields))
}
