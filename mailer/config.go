package mailer

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/invitemailer/invitemailer/cronofy"
	"github.com/invitemailer/invitemailer/internal/address"
	"github.com/invitemailer/invitemailer/internal/message"
	"github.com/invitemailer/invitemailer/internal/zone"
	"github.com/invitemailer/invitemailer/mailer/submission"
	"github.com/invitemailer/invitemailer/templates"
)

// SmartInvites is what a Mailer needs of the API; *cronofy.Client is one.
// Errors that hold a *cronofy.Error are told apart by its Status.
type SmartInvites interface {
	Create(ctx context.Context, r *cronofy.InviteRequest) (*cronofy.SmartInvite, error)
	Cancel(ctx context.Context, r cronofy.Ref) (*cronofy.SmartInvite, error)
	Remove(ctx context.Context, r cronofy.Ref) (*cronofy.SmartInvite, error)
}

// Submitter is what a Mailer needs of SMTP; *submission.Submitter is one. It
// must tell an unknown end from a known one, and by Result.Cause whose fault a
// refusal is, as [submission.Result] does. If it has the method Probe of
// *submission.Submitter, that is used before a run is stopped because of
// refusals that say nothing clear.
type Submitter interface {
	Submit(ctx context.Context, env submission.Envelope, msg []byte) submission.Result
}

// Renderer makes the content of a mail; *templates.Set is one. It is called by many
// goroutines. If it has the method Named of *templates.Set, that finds the set of
// MailOptions.Template.
type Renderer interface {
	Render(kind templates.Kind, d templates.Data) (templates.Content, error)
}

// OnUnknown is what a later run does with a mail whose end is unknown.
type OnUnknown string

// The choices for an unknown end (RFC 1047). With the zero value the same bytes
// leave again, with the same Message-ID: twice at most, and not before 20 and 60
// minutes after the first submission. An earlier run submits nothing (CodeWaiting);
// after the third submission, a person has to decide (CodeHeld).
const (
	// OnUnknownResend is that decision: the same bytes again, at once. As a setting
	// that stays, it repeats the mail in every run that gets no answer.
	OnUnknownResend OnUnknown = "resend"
	// OnUnknownNever repeats nothing of which it is not known whether it left.
	OnUnknownNever OnUnknown = "never"
)

// formerNever is what OnUnknownNever was called. It is to go with the release
// after the next, as holding is another thing.
const formerNever OnUnknown = "hold"

// Config is what a [Mailer] is made of. API and Submitter are required unless
// DryRun is set.
type Config struct {
	// AcceptOrganizer lets a changed default Organizer mail everybody an update.
	// Off, such an invite is refused with CodeOrganizerChanged.
	AcceptOrganizer bool
	// AllowPast mails invitations to events that are over.
	AllowPast bool
	// API creates, cancels and removes Smart Invites. A run of SendAll that is
	// stopped ends what waits within a *cronofy.Client and within a
	// *submission.Submitter (see their method Until); others see its context only.
	API SmartInvites
	// CallbackURL is told the answers to invites that name none; may be empty.
	CallbackURL string
	// DryRun asks nobody and sends nothing; receipts are Valid, with their Kind.
	DryRun bool
	// EnvelopeFrom is where bounces go (the RFC 5321 reverse-path). Defaults to
	// the From address.
	EnvelopeFrom string
	// From is the From of every mail, an address or NAME <ADDRESS>. Defaults to
	// the organizer of the invite.
	From string
	// FromDomains lists the domains that a From may have, also that of an earlier
	// mail. Nil allows all; empty and not nil is an error.
	FromDomains []string
	// Ledger is the durable record. Nil means that nothing is remembered:
	// the same invite given twice is mailed twice, an update is called an
	// invitation, and a crash leaves no trace.
	Ledger Ledger
	// Lint says which broken invitation rules stop a mail. Defaults to LintReport.
	Lint Lint
	// Locale is the language of invites that name none. Defaults to "en".
	Locale string
	// Logger is told what happens, invites by id and recipients by domain.
	// Nil is silent.
	Logger *slog.Logger
	// Now is the clock. Defaults to time.Now.
	Now func() time.Time
	// Observer is told how invites go their way. Nil is told nothing.
	Observer Observer
	// OnUnknown says what becomes of a mail whose end is unknown. The zero value
	// repeats it twice at most.
	OnUnknown OnUnknown
	// OnlyTo lists who may be mailed, as addresses or *@domain. Nil allows
	// everybody; empty and not nil is an error. Meant for staging.
	OnlyTo []string
	// Organizer is who invites if an invite names nobody.
	Organizer Organizer
	// PastWarns turns the refusal of past events into a finding, for sandboxes.
	PastWarns bool
	// ReplyTo is where people's replies go, an address. Defaults to the
	// organizer if that is not the From.
	ReplyTo string
	// Resend mails again what is sent already.
	Resend bool
	// RetryFailed tries again what was refused for good.
	RetryFailed bool
	// Submitter hands the mail to an SMTP server.
	Submitter Submitter
	// WithdrawMissing withdraws the invite of those who are no longer in the
	// list of a Group. Off, they are reported only.
	WithdrawMissing bool
	// Templates make the content. Defaults to the embedded ones. With an overlay of
	// your own, call its Validate first: a broken template is otherwise found by
	// the first mail that needs it.
	Templates Renderer
}

// Mailer sends invites. It is safe for concurrent use.
type Mailer struct {
	cfg          Config
	log          *slog.Logger
	from         message.Mailbox // zero: the organizer
	replyTo      message.Mailbox
	envelopeFrom address.Address
	organizer    message.Mailbox // the default one
	policy       policy

	inHand *inHand
	// accepted is what refusals are held against.
	accepted acceptances
	zones    zone.Zones
}

// New checks the whole configuration and returns a Mailer, or an error that
// names every setting that is wrong.
func New(cfg Config) (*Mailer, error) {
	m := &Mailer{cfg: cfg, log: cfg.Logger, inHand: newInHand()}
	var errs []error
	bad := func(field string, err error) {
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", field, err))
		}
	}
	if m.log == nil {
		m.log = slog.New(slog.DiscardHandler)
	}
	if cfg.API == nil && !cfg.DryRun {
		bad("API", errors.New("is missing; give a *cronofy.Client"))
	}
	if cfg.Submitter == nil && !cfg.DryRun {
		bad("Submitter", errors.New("is missing; give a *submission.Submitter"))
	}
	if m.cfg.Now == nil {
		m.cfg.Now = time.Now
	}
	if m.cfg.Locale == "" {
		m.cfg.Locale = "en"
	}
	if cfg.Templates == nil {
		set, err := templates.New()
		bad("Templates", err)
		m.cfg.Templates = set
	}
	switch cfg.OnUnknown {
	case "", OnUnknownResend, OnUnknownNever:
	case formerNever:
		m.log.Warn("what to do about an unknown end is given as hold, which is called never now: write never, as hold is understood in this release only")
		m.cfg.OnUnknown = OnUnknownNever
	default:
		bad("OnUnknown", fmt.Errorf("%q is neither resend nor never", cfg.OnUnknown))
	}
	switch cfg.Lint {
	case "":
		m.cfg.Lint = LintReport
	case LintReport, LintStrict, LintOff:
	default:
		bad("Lint", fmt.Errorf("%q is not one of report, strict, off", cfg.Lint))
	}
	var err error
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
	cfg.checkGuards(bad)
	if isSet(m.from) && !m.fromAllowed(m.from.Address) {
		bad("From", errors.New("its domain is not one of FromDomains"))
	}
	m.policy = policy{resend: cfg.Resend, retryFailed: cfg.RetryFailed, onUnknown: m.cfg.OnUnknown, acceptOrganizer: cfg.AcceptOrganizer,
		allowPast: cfg.AllowPast || cfg.PastWarns || cfg.DryRun}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return m, nil
}

// Shutdown refuses new invites, waits for those in hand, and returns nil. If ctx
// ends first, it returns an error that wraps its cause, and those in hand go on.
//
// Send and SendGroup finish the invite that they have in hand. SendAll ends as if
// it had been stopped (see RunOptions.Stop), and Shutdown waits until it has
// returned. What is refused is Deferred, with an error that wraps [ErrClosed].
//
// Shutdown does not close what Config was given; the package comment has the
// order. It may be called again.
func (m *Mailer) Shutdown(ctx context.Context) error { return m.inHand.shutdown(ctx) }

func (o Organizer) mailbox() (message.Mailbox, error) {
	a, err := address.Parse(o.Email)
	if err != nil {
		return message.Mailbox{}, err
	}
	return message.Mailbox{Name: address.CleanName(o.Name, a), Address: a}, nil
}

func (m *Mailer) fromAllowed(a address.Address) bool {
	if len(m.cfg.FromDomains) == 0 {
		return true
	}
	for _, d := range m.cfg.FromDomains {
		if x, err := address.Parse("x@" + d); err == nil && x.Domain() == a.Domain() {
			return true
		}
	}
	return false
}
