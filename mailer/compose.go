package mailer

import (
	"context"
	"strings"

	"github.com/invitemailer/invitemailer/internal/calendar"
	"github.com/invitemailer/invitemailer/internal/message"
	"github.com/invitemailer/invitemailer/mailer/ledger"
)

func (j *job) compose(ctx context.Context, to *recipient, c *calendar.Calendar) (*ledger.Submission, *Error) {
	from, problem := j.from(to)
	if problem != nil {
		return nil, problem
	}
	addressee := to.mailbox
	if addressee.Name == "" {
		addressee.Name = attendeeName(c, addressee)
	}
	replyTo := j.replyTo
	if o := j.inviter(); !isSet(replyTo) && isSet(o) && o.Address.Key() != from.Address.Key() {
		replyTo = o
	}
	ended := j.observe(ctx, Event{Stage: StageRender})
	content, problem := j.render(to, c, from, addressee, replyTo)
	ended(problem)
	if problem != nil {
		return nil, problem
	}
	id := message.ID(j.ID, to.key.Address, c.Method, c.Sum(), to.plan.resend, from.Address.Domain())
	msg := message.Message{
		From: from, To: addressee, Subject: content.Subject, Text: content.Text, HTML: content.HTML,
		Calendar: c.Bytes(), Method: c.Method, Date: j.m.cfg.Now(), MessageID: id,
	}
	if isSet(replyTo) {
		msg.ReplyTo = &replyTo
	}
	if first := to.entry.FirstMessageID; first != "" && first != id {
		msg.InReplyTo, msg.References = first, []string{first}
	}
	ended = j.observe(ctx, Event{Stage: StageCompose})
	composed, err := message.Compose(msg)
	if err != nil {
		problem = &Error{Stage: StageCompose, Code: codeCompose, Err: err, Message: err.Error()}
	}
	ended(problem)
	if problem != nil {
		return nil, problem
	}
	to.receipt.MessageID = id
	envelopeFrom := composed.From
	if !j.m.envelopeFrom.IsZero() {
		envelopeFrom = j.m.envelopeFrom.String()
	}
	return &ledger.Submission{MessageID: id, FromName: from.Name, FromEmail: from.Address.String(),
		Resend: to.plan.resend, Kind: to.plan.kind, Message: ledger.Message{From: envelopeFrom,
			To: composed.To, SMTPUTF8: composed.SMTPUTF8, Bytes: composed.Bytes}}, nil
}

// from says who the mail is from: the settings, else the organizer of the record, else who the invite
// was sent by before; never an address that only the calendar names.
func (j *job) from(to *recipient) (message.Mailbox, *Error) {
	if isSet(j.m.from) {
		return j.m.from, nil
	}
	from := j.organizer
	before := to.entry.LastSent
	if before != nil && before.FromEmail != "" && (!isSet(from) || j.Method != Request && j.organizerDefault) {
		if o, err := (Organizer{before.FromName, before.FromEmail}).mailbox(); err == nil {
			from = o
		}
	}
	if !isSet(from) {
		return from, &Error{Stage: StageCompose, Code: CodeInvalid, Field: "organizer.email",
			Message: "nobody is known to send the mail: " +
				"name the organizer in the record, or set Config.Organizer.Email or Config.From"}
	}
	return from, nil
}

func attendeeName(c *calendar.Calendar, to message.Mailbox) string {
	for _, a := range c.Attendees {
		if strings.EqualFold(a.Email, to.Address.String()) && !strings.Contains(a.Name, "@") {
			return a.Name
		}
	}
	return ""
}
