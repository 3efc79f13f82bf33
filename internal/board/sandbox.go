package board

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"log/slog"
	"mime"
	"net/http"
	"net/mail"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/invitemailer/invitemailer/cronofy/cronofytest"
	"github.com/invitemailer/invitemailer/internal/preview"
	"github.com/invitemailer/invitemailer/internal/zone"
	"github.com/invitemailer/invitemailer/mailer/sandbox"
)

// Playground is what [Sandbox] shows. A *sandbox.Sandbox is one.
type Playground interface {
	API() *cronofytest.Server
	Mails() []sandbox.Mail
}

// Sandbox serves the page of a sandbox:
//
//	GET  /               invites with buttons, and mails
//	GET  /mails/ID       the preview of a mail
//	GET  /mails/ID.eml   the mail itself
//	POST /answer         an answer; only from this page
type Sandbox struct {
	// Playground is what is shown. Required.
	Playground Playground
	// Logger is told what could not be shown; nil means silence.
	Logger *slog.Logger
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

// shownMails is how many mails the page lists.
const shownMails = 100

// maxForm is more than an answer takes, in bytes.
const maxForm = 16 << 10

// Handler returns the handler. It is safe for concurrent use.
func (s Sandbox) Handler() http.Handler {
	if s.Logger == nil {
		s.Logger = slog.New(slog.DiscardHandler)
	}
	if s.Now == nil {
		s.Now = time.Now
	}
	mux := http.NewServeMux()
	handleFiles(mux)
	mux.HandleFunc("GET /{$}", s.page)
	mux.HandleFunc("GET /mails/{name}", s.mail)
	mux.HandleFunc("POST /answer", s.answer)
	// A browser says where a request comes from; what is not from this page
	// changes nothing here.
	return protected(http.NewCrossOriginProtection().Handler(mux))
}

// sandboxPage is what the template of the page is given.
type sandboxPage struct {
	Invites []sandboxInvite
	Mails   []sandboxMail
	More    int
}

type sandboxInvite struct {
	cronofytest.Invite
	Anchor       string
	Starts, Ends *time.Time
	People       []sandboxPerson
}

type sandboxPerson struct {
	Email, Status, Comment string
	Proposal               *Proposal
	Anchor                 string
	Forwarded              bool
}

type sandboxMail struct {
	ID, Subject, From string
	To                []string
	At                *time.Time
	Problem           string
}

func (s Sandbox) page(w http.ResponseWriter, r *http.Request) {
	var p sandboxPage
	for _, i := range s.Playground.API().Invites() {
		p.Invites = append(p.Invites, newSandboxInvite(i))
	}
	mails := s.Playground.Mails()
	slices.Reverse(mails)
	p.More = max(0, len(mails)-shownMails)
	for _, m := range mails[:len(mails)-p.More] {
		p.Mails = append(p.Mails, newSandboxMail(m))
	}
	if err := render(w, r, http.StatusOK, "sandbox.html", p); err != nil {
		s.Logger.Error("the page cannot be shown", "error", err)
		http.Error(w, "the page cannot be shown; the log says why", http.StatusInternalServerError)
	}
}

func newSandboxInvite(i cronofytest.Invite) sandboxInvite {
	v := sandboxInvite{Invite: i, Anchor: anchor("invite", i.UID), Starts: &i.Start, Ends: &i.End}
	person := func(p cronofytest.Participant, forwarded bool) {
		shown := sandboxPerson{Email: p.Email, Status: p.Status, Comment: p.Comment, Forwarded: forwarded, Anchor: anchor("person", i.UID, p.Email)}
		if q := p.Proposal; q != nil {
			shown.Proposal = &Proposal{Start: q.Start, End: q.End, TZID: q.TZID}
		}
		v.People = append(v.People, shown)
	}
	for _, p := range i.Recipients {
		person(p, false)
	}
	for _, p := range i.Replies {
		if !slices.ContainsFunc(i.Recipients, func(r cronofytest.Participant) bool { return strings.EqualFold(r.Email, p.Email) }) {
			person(p, true)
		}
	}
	return v
}

// anchor is an id for an element, the same each time the page is made.
func anchor(kind string, parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return kind + "-" + hex.EncodeToString(sum[:6])
}

func newSandboxMail(m sandbox.Mail) sandboxMail {
	v := sandboxMail{ID: m.ID, From: m.From, To: m.To, At: instant(m.At)}
	if m.Problem != nil {
		v.Problem = m.Problem.Error()
	}
	if message, err := mail.ReadMessage(bytes.NewReader(m.Raw)); err == nil {
		v.Subject = message.Header.Get("Subject")
		if decoded, err := new(mime.WordDecoder).DecodeHeader(v.Subject); err == nil {
			v.Subject = decoded
		}
	}
	return v
}

// mailPolicy is that of a preview, which has no script and its style in the page.
const mailPolicy = "default-src 'none'; style-src 'unsafe-inline'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"

func (s Sandbox) mail(w http.ResponseWriter, r *http.Request) {
	id, raw := strings.CutSuffix(r.PathValue("name"), ".eml")
	mails := s.Playground.Mails()
	at := slices.IndexFunc(mails, func(m sandbox.Mail) bool { return m.ID == id })
	if at < 0 {
		http.Error(w, "there is no such mail", http.StatusNotFound)
		return
	}
	m := mails[at]
	if raw {
		w.Header().Set("Content-Type", "message/rfc822")
		w.Header().Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": m.ID + ".eml"}))
		_, _ = w.Write(m.Raw) // who asks may have gone
		return
	}
	var b bytes.Buffer
	shown := preview.Mail{Name: m.ID + ".eml", Raw: m.Raw}
	if err := preview.Page(&b, []preview.Mail{shown}, preview.Options{Title: "Mail " + m.ID, Now: s.Now()}); err != nil {
		s.Logger.Error("the mail cannot be shown", "mail", m.ID, "error", err)
		http.Error(w, "the mail cannot be shown; the log says why", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Security-Policy", mailPolicy)
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = w.Write(b.Bytes()) // who asks may have gone
}

// propose is the button that asks for another time. The answer that goes with it
// is tentative, as calendar programs have it.
const propose = "propose"

func (s Sandbox) answer(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		http.Error(w, "the form cannot be read", http.StatusBadRequest)
		return
	}
	a, err := s.read(r.PostForm)
	if err == nil {
		err = s.Playground.API().Answer(r.Context(), a)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusUnprocessableEntity)
		return
	}
	if strings.HasPrefix(r.Header.Get("Accept"), "text/plain") { // the script of the page
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = w.Write([]byte("The answer is recorded: " + a.Status + ".\n"))
		return
	}
	http.Redirect(w, r, "./", http.StatusSeeOther)
}

// read makes an answer of the form. A proposed event lasts as long as the one
// there is.
func (s Sandbox) read(form url.Values) (cronofytest.Answer, error) {
	a := cronofytest.Answer{
		InviteID: form.Get("id"), Recipient: form.Get("recipient"), Status: form.Get("status"),
		Comment: strings.TrimSpace(form.Get("comment")), By: strings.TrimSpace(form.Get("by")), At: s.Now(),
	}
	if a.Status != propose {
		return a, nil
	}
	a.Status = "tentative"
	invites := s.Playground.API().Invites()
	at := slices.IndexFunc(invites, func(i cronofytest.Invite) bool {
		return i.ID == a.InviteID && slices.ContainsFunc(i.Recipients, func(p cronofytest.Participant) bool { return strings.EqualFold(p.Email, a.Recipient) })
	})
	if at < 0 {
		return a, errors.New("there is no such invite: load the page again")
	}
	invite := invites[at]
	start, err := localTime(form.Get("start"), invite.TZID)
	if err != nil {
		return a, err
	}
	a.Proposal = &cronofytest.Proposal{Start: start, End: start.Add(invite.End.Sub(invite.Start)), TZID: invite.TZID}
	return a, nil
}

// localTime reads what a browser's field for a local time says, with or without
// seconds (HTML standard, local date and time string).
func localTime(text, tzid string) (time.Time, error) {
	location, ok := zone.Load(tzid)
	if !ok {
		location = time.UTC
	}
	for _, layout := range []string{"2006-01-02T15:04", "2006-01-02T15:04:05"} {
		if t, err := time.ParseInLocation(layout, text, location); err == nil {
			return t, nil
		}
	}
	return time.Time{}, errors.New("the new start is missing: choose one under “Comment, another time, or another person”")
}
