package mailer

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/invitemailer/invitemailer/cronofy"
	"github.com/invitemailer/invitemailer/internal/address"
	"github.com/invitemailer/invitemailer/internal/message"
	"github.com/invitemailer/invitemailer/mailer/submission"
	"github.com/invitemailer/invitemailer/templates"
)

// SmartInvites is what a Mailer needs of the API; *cronofy.Client is one. It is called by many
// goroutines. Errors that hold a *cronofy.Error are told apart by its Status.
type SmartInvites interface {
	Create(ctx context.Context, r *cronofy.InviteRequest) (*cronofy.SmartInvite, error)
	Cancel(ctx context.Context, r cronofy.Ref) (*cronofy.SmartInvite, error)
	Remove(ctx context.Context, r cronofy.Ref) (*cronofy.SmartInvite, error)
}

// Submitter is what a Mailer needs of SMTP; *submission.Submitter is one. It is called by many
// goroutines. It must tell an unknown end from a known one, and by Result.Cause whose fault a
// refusal is. If it has the method Probe of *submission.Submitter, that is used before refusals
// that say nothing clear stop a run.
type Submitter interface {
	Submit(ctx context.Context, env submission.Envelope, msg []byte) submission.Result
}

// Renderer makes the content of a mail; *templates.Set is one. It is called by many goroutines. If
// it has the method Named of *templates.Set, that finds the set of MailOptions.Template.
type Renderer interface {
	Render(kind templates.Kind, d templates.Data) (templates.Content, error)
}

// Config is what a [Mailer] is made of.
type Config struct {
	// API creates, cancels and removes Smart Invites; required unless DryRun is set. A run of
	// SendAll that is stopped ends what waits within a *cronofy.Client or a
	// *submission.Submitter (see their method Until); others see its context only.
	API       SmartInvites
	Submitter Submitter // hands the mail to an SMTP server; required unless DryRun is set
	// Ledger is the durable record. With nil nothing is remembered: the same invite given twice
	// is mailed twice, an update is called an invitation, and a crash leaves no trace.
	Ledger Ledger

	Organizer Organizer // who invites if an invite names no organizer
	// From is the From of every mail, an address or NAME <ADDRESS>. Defaults to the organizer of
	// the invite.
	From string
	// ReplyTo is where people's replies go. Defaults to the organizer if that is not the From.
	ReplyTo string
	// EnvelopeFrom is where bounces go (the RFC 5321 reverse-path). Defaults to the From address.
	EnvelopeFrom string
	CallbackURL  string // told the answers to invites that name none; may be empty

	// Templates make the content. Defaults to the embedded ones. Call Validate of your own first:
	// a broken template is otherwise found by the first mail that needs it.
	Templates Renderer
	Locale    string // the language of invites that name none; defaults to "en"

	// FromDomains lists the domains that a From may have, also that of an earlier mail. Nil
	// allows all; empty and not nil is an error.
	FromDomains []string
	// OnlyTo lists who may be mailed, as addresses or *@domain. Nil allows all; empty and not nil
	// is an error. Meant for staging.
	OnlyTo []string
	Lint   Lint // which broken invitation rules stop a mail; defaults to LintReport

	Resend      bool // mails again what is sent already
	RetryFailed bool // tries again what was refused for good
	// OnUnknown says what becomes of a mail whose end is unknown. The zero value repeats it twice
	// at most.
	OnUnknown OnUnknown
	// AcceptOrganizer lets a changed default Organizer mail all recipients an update. Off, such an
	// invite is refused with CodeOrganizerChanged.
	AcceptOrganizer bool
	// WithdrawMissing withdraws the invite of those who are no longer in the list of a Group. Off,
	// they are reported only.
	WithdrawMissing bool
	AllowPast       bool // mails invitations to events that are over
	PastWarns       bool // turns the refusal of past events into a finding, for sandboxes
	DryRun          bool // asks and sends nothing; receipts are Valid, with their Kind

	Logger   *slog.Logger     // told what happens, by id and domain; nil is silent
	Observer Observer         // told how invites go their way; may be nil
	Now      func() time.Time // the clock; defaults to time.Now
}

// ConfigError is a field of [Config] that is wrong.
type ConfigError struct {
	Field   string // such as From or Organizer.Email
	Problem string // what is wrong with it, and what to do
}

func (e *ConfigError) Error() string { return e.Field + ": " + e.Problem }

// Mailer sends invites. It is safe for concurrent use.
type Mailer struct {
	cfg          Config
	log          *slog.Logger
	from         message.Mailbox // zero for that of the organizer
	replyTo      message.Mailbox
	envelopeFrom address.Address
	organizer    message.Mailbox // the default one

	accepted acceptances // what refusals are held against

	mu      sync.Mutex
	calls   int           // of Send, SendGroup and SendAll that are in hand
	closed  bool          // Shutdown was called
	closing chan struct{} // closed then
	idle    chan struct{} // closed then, once no call is left
}

// New checks the whole configuration and returns a Mailer, or an error that wraps a *[ConfigError]
// for each field that is wrong.
func New(cfg Config) (*Mailer, error) {
	m := &Mailer{cfg: cfg, closing: make(chan struct{}), idle: make(chan struct{})}
	m.log = cmp.Or(cfg.Logger, slog.New(slog.DiscardHandler))
	m.cfg.Locale = cmp.Or(cfg.Locale, "en")
	m.cfg.Lint = cmp.Or(cfg.Lint, LintReport)
	if cfg.Now == nil {
		m.cfg.Now = time.Now
	}
	if cfg.OnUnknown == formerNever {
		m.log.Warn("what to do about an unknown end is given as hold, which is called never now: " +
			"write never, as hold is understood in this release only")
		m.cfg.OnUnknown = OnUnknownNever
	}
	var errs []error
	bad := func(field string, err error) {
		if err != nil {
			errs = append(errs, &ConfigError{Field: field, Problem: err.Error()})
		}
	}
	if cfg.API == nil && !cfg.DryRun {
		bad("API", errors.New("is missing; give a *cronofy.Client"))
	}
	if cfg.Submitter == nil && !cfg.DryRun {
		bad("Submitter", errors.New("is missing; give a *submission.Submitter"))
	}
	if cfg.Templates == nil {
		set, err := templates.New()
		bad("Templates", err)
		m.cfg.Templates = set
	}
	if !slices.Contains([]OnUnknown{"", OnUnknownResend, OnUnknownNever}, m.cfg.OnUnknown) {
		bad("OnUnknown", fmt.Errorf("%q is neither resend nor never", cfg.OnUnknown))
	}
	if !slices.Contains([]Lint{LintReport, LintStrict, LintOff}, m.cfg.Lint) {
		bad("Lint", fmt.Errorf("%q is not one of report, strict, off", cfg.Lint))
	}
	m.readAddresses(bad)
	checkList(cfg.OnlyTo, checkPattern, func(err error) { bad("OnlyTo", err) })
	checkList(cfg.FromDomains, checkDomain, func(err error) { bad("FromDomains", err) })
	if isSet(m.from) && !m.fromAllowed(m.from.Address) {
		bad("From", errors.New("its domain is not one of Config.FromDomains"))
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	return m, nil
}

func (m *Mailer) readAddresses(bad func(field string, err error)) {
	cfg, err := &m.cfg, error(nil)
	if cfg.From != "" {
		m.from, err = parseMailbox(cfg.From)
		bad("From", err)
	}
	if cfg.ReplyTo != "" {
		m.replyTo, err = parseMailbox(cfg.ReplyTo)
		bad("ReplyTo", err)
	}
	if cfg.EnvelopeFrom != "" {
		m.envelopeFrom, err = address.Parse(cfg.EnvelopeFrom)
		bad("EnvelopeFrom", err)
	}
	if cfg.Organizer.Email != "" {
		m.organizer, err = cfg.Organizer.mailbox()
		bad("Organizer.Email", err)
	} else if cfg.Organizer.Name != "" {
		bad("Organizer.Email", errors.New("is missing although the organizer has a name"))
	}
	if cfg.CallbackURL != "" {
		bad("CallbackURL", checkURL(cfg.CallbackURL))
	}
}

// checkList says what is wrong with a list of who may be mailed, or from where. One that came out
// empty, as of a setting that was not found, must not allow all.
func checkList(list []string, check func(string) error, bad func(error)) {
	if list != nil && len(list) == 0 {
		bad(errors.New("is not nil and has no entry; leave it nil to allow all, or name what is allowed"))
	}
	for _, entry := range list {
		bad(check(entry))
	}
}
