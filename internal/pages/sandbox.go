package pages

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

// Sandbox returns a handler of the page of a sandbox:
//
//	GET  /               invites with buttons, and mails
//	GET  /mails/ID       the preview of a mail
//	GET  /mails/ID.eml   the mail itself
//	POST /answer         an answer; only from this page
//
// The logger gets what could not be shown.
func Sandbox(s *sandbox.Sandbox, log *slog.Logger) http.Handler {
	h := sandboxPages{s, log}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", h.page)
	mux.HandleFunc("GET /mails/{name}", h.mail)
	// A browser says where a request comes from; what is not from this page changes nothing here.
	mux.Handle("POST /answer", http.NewCrossOriginProtection().Handler(http.HandlerFunc(h.answer)))
	return withFiles(mux)
}

type sandboxPages struct {
	sandbox *sandbox.Sandbox
	log     *slog.Logger
}

// shownMails is how many mails the page lists.
const shownMails = 100

// maxForm is more than an answer takes, in bytes.
const maxForm = 16 << 10

// sandboxPage is what the template of the page is given.
type sandboxPage struct {
	Invites []sandboxInvite
	Mails   []sandbox.Mail
	More    int
}

type sandboxInvite struct {
	cronofytest.Invite
	Anchor string
	People []sandboxPerson
}

type sandboxPerson struct {
	cronofytest.Participant
	Anchor    string
	Forwarded bool
}

func (h sandboxPages) page(w http.ResponseWriter, r *http.Request) {
	var p sandboxPage
	for _, i := range h.sandbox.API().Invites() {
		p.Invites = append(p.Invites, newSandboxInvite(i))
	}
	mails := h.sandbox.Mails()
	slices.Reverse(mails)
	p.More = max(0, len(mails)-shownMails)
	p.Mails = mails[:len(mails)-p.More]
	render(w, r, h.log, http.StatusOK, "sandbox.html", p)
}

func newSandboxInvite(i cronofytest.Invite) sandboxInvite {
	v := sandboxInvite{Invite: i, Anchor: anchor("invite", i.UID)}
	for _, p := range i.Recipients {
		v.People = append(v.People, sandboxPerson{p, anchor("person", i.UID, p.Email), false})
	}
	for _, p := range i.Replies {
		if !isRecipient(i, p.Email) {
			v.People = append(v.People, sandboxPerson{p, anchor("person", i.UID, p.Email), true})
		}
	}
	return v
}

func isRecipient(i cronofytest.Invite, email string) bool {
	return slices.ContainsFunc(i.Recipients, func(p cronofytest.Participant) bool {
		return strings.EqualFold(p.Email, email)
	})
}

// anchor is an id for an element, the same each time the page is made.
func anchor(kind string, parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return kind + "-" + hex.EncodeToString(sum[:6])
}

// subject is the subject of a mail for people; empty if there is none.
func subject(raw []byte) string {
	message, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		return ""
	}
	encoded := message.Header.Get("Subject")
	decoded, err := new(mime.WordDecoder).DecodeHeader(encoded)
	if err != nil {
		return encoded
	}
	return decoded
}

// mailPolicy is that of a preview, which has no script and its style in the page.
const mailPolicy = "default-src 'none'; style-src 'unsafe-inline'; form-action 'none'; base-uri 'none'; " +
	"frame-ancestors 'none'"

func (h sandboxPages) mail(w http.ResponseWriter, r *http.Request) {
	id, raw := strings.CutSuffix(r.PathValue("name"), ".eml")
	mails := h.sandbox.Mails()
	at := slices.IndexFunc(mails, func(m sandbox.Mail) bool { return m.ID == id })
	if at < 0 {
		http.Error(w, "there is no such mail", http.StatusNotFound)
		return
	}
	m := mails[at]
	if raw {
		w.Header().Set("Content-Type", "message/rfc822")
		name := mime.FormatMediaType("attachment", map[string]string{"filename": m.ID + ".eml"})
		w.Header().Set("Content-Disposition", name)
		_, _ = w.Write(m.Raw) // the browser may have gone
		return
	}
	var b bytes.Buffer
	shown := preview.Mail{Name: m.ID + ".eml", Raw: m.Raw}
	o := preview.Options{Title: "Mail " + m.ID, Now: time.Now()}
	if err := preview.Page(&b, []preview.Mail{shown}, o); err != nil {
		h.log.Error("the mail cannot be shown", "mail", m.ID, "error", err)
		http.Error(w, "the mail cannot be shown; the log says why", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Security-Policy", mailPolicy)
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = w.Write(b.Bytes()) // the browser may have gone
}

// propose is the button that asks for another time. The answer that goes with it
// is tentative, as calendar programs have it.
const propose = "propose"

func (h sandboxPages) answer(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		http.Error(w, "the form cannot be read", http.StatusBadRequest)
		return
	}
	a, err := h.readForm(r.PostForm)
	if err == nil {
		err = h.sandbox.API().Answer(r.Context(), a)
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

// readForm makes an answer of the form. A proposed event lasts as long as the one there is.
func (h sandboxPages) readForm(form url.Values) (cronofytest.Answer, error) {
	a := cronofytest.Answer{
		InviteID: form.Get("id"), Recipient: form.Get("recipient"), Status: form.Get("status"),
		Comment: strings.TrimSpace(form.Get("comment")), By: strings.TrimSpace(form.Get("by")), At: time.Now(),
	}
	if a.Status != propose {
		return a, nil
	}
	a.Status = "tentative"
	invites := h.sandbox.API().Invites()
	at := slices.IndexFunc(invites, func(i cronofytest.Invite) bool {
		return i.ID == a.InviteID && isRecipient(i, a.Recipient)
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
	return time.Time{}, errors.New("the new start is missing: " +
		"choose one under “Comment, another time, or another person”")
}
