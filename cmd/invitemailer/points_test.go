package main

import (
	"context"
	"net"
	"strings"

	"github.com/invitemailer/invitemailer/cronofy"
	"github.com/invitemailer/invitemailer/mailer"
	"github.com/invitemailer/invitemailer/mailer/ledger"
)

// The points of the pipeline at which the world changes: before and after each
// request to the API and each write to the ledger. Between any two of them a
// process may die, and the next run has to know what to do.
const (
	beforeClaim      = "ledger.claim.before"
	afterClaim       = "ledger.claim.after"
	beforeRequest    = "api.request.before"
	afterRequest     = "api.request.after"
	beforeCreate     = "ledger.create.before"
	afterCreate      = "ledger.create.after"
	beforeSubmitting = "ledger.submitting.before"
	afterSubmitting  = "ledger.submitting.after"
	beforeFinish     = "ledger.finish.before"
	afterFinish      = "ledger.finish.after"
	beforeRelease    = "ledger.release.before"
	afterRelease     = "ledger.release.after"
)

// points lists them in the order of an invite's way.
func points() []string {
	return []string{beforeClaim, afterClaim, beforeRequest, afterRequest, beforeCreate, afterCreate,
		beforeSubmitting, afterSubmitting, beforeFinish, afterFinish, beforeRelease, afterRelease}
}

// The points of the dialogue with the mail server: before a command is written, and after
// its reply was read. Where commands are grouped, the group takes the place of all from
// beforeMail to afterData, and mostly of those of RSET as well. afterContent lies between
// the final dot and its reply: the message may have been accepted, and nothing tells.
const (
	beforeConnect = "smtp.connect.before"
	afterConnect  = "smtp.connect.after"
	beforeReset   = "smtp.reset.before"
	afterReset    = "smtp.reset.after"
	beforeGroup   = "smtp.group.before"
	afterGroup    = "smtp.group.after"
	beforeMail    = "smtp.mail.before"
	afterMail     = "smtp.mail.after"
	beforeRcpt    = "smtp.rcpt.before"
	afterRcpt     = "smtp.rcpt.after"
	beforeData    = "smtp.data.before"
	afterData     = "smtp.data.after"
	beforeContent = "smtp.content.before"
	afterContent  = "smtp.content.after"
	afterReply    = "smtp.reply.after"
)

// watching calls at wherever the pipeline comes to a point, those of the
// submission included.
func (m Main) watching(at func(point string)) Main {
	m.DialSMTP = func(ctx context.Context, network, addr string) (net.Conn, error) {
		at(beforeConnect)
		defer at(afterConnect)
		conn, err := (&net.Dialer{}).DialContext(ctx, network, addr)
		return &watchedConn{Conn: conn, at: at}, err
	}
	m.Around = func(cfg *mailer.Config) {
		cfg.API = watchedAPI{cfg.API, at}
		cfg.Ledger = watchedLedger{cfg.Ledger, at}
	}
	return m
}

// watchedAPI and watchedLedger call at before and after each thing that they do.
type watchedAPI struct {
	mailer.SmartInvites
	at func(point string)
}

func (w watchedAPI) Create(ctx context.Context, r *cronofy.InviteRequest) (*cronofy.SmartInvite, error) {
	w.at(beforeRequest)
	defer w.at(afterRequest)
	return w.SmartInvites.Create(ctx, r)
}

func (w watchedAPI) Cancel(ctx context.Context, r cronofy.Ref) (*cronofy.SmartInvite, error) {
	w.at(beforeRequest)
	defer w.at(afterRequest)
	return w.SmartInvites.Cancel(ctx, r)
}

func (w watchedAPI) Remove(ctx context.Context, r cronofy.Ref) (*cronofy.SmartInvite, error) {
	w.at(beforeRequest)
	defer w.at(afterRequest)
	return w.SmartInvites.Remove(ctx, r)
}

type watchedLedger struct {
	mailer.Ledger
	at func(point string)
}

func (w watchedLedger) Claim(ctx context.Context, keys ...ledger.Key) (ledger.Claim, error) {
	w.at(beforeClaim)
	defer w.at(afterClaim)
	return w.Ledger.Claim(ctx, keys...)
}

func (w watchedLedger) Create(ctx context.Context, c ledger.Claim, added ...ledger.NewRevision) error {
	w.at(beforeCreate)
	defer w.at(afterCreate)
	return w.Ledger.Create(ctx, c, added...)
}

func (w watchedLedger) Submitting(ctx context.Context, c ledger.Claim, key ledger.Key, s ledger.Submission) error {
	w.at(beforeSubmitting)
	defer w.at(afterSubmitting)
	return w.Ledger.Submitting(ctx, c, key, s)
}

func (w watchedLedger) Finish(ctx context.Context, c ledger.Claim, key ledger.Key, r ledger.Result) error {
	w.at(beforeFinish)
	defer w.at(afterFinish)
	return w.Ledger.Finish(ctx, c, key, r)
}

func (w watchedLedger) Release(ctx context.Context, c ledger.Claim) error {
	w.at(beforeRelease)
	defer w.at(afterRelease)
	return w.Ledger.Release(ctx, c)
}

// watchedConn is a connection to the mail server.
type watchedConn struct {
	net.Conn
	at      func(point string)
	after   string // the point that the next reply leads to
	content bool   // the server waits for the content
}

func (w *watchedConn) Write(b []byte) (int, error) {
	switch verb, _, _ := strings.Cut(string(b), " "); {
	case w.content:
		w.content, w.after = false, afterReply
		w.at(beforeContent)
		defer w.at(afterContent)
	case strings.Count(string(b), "\r\n") > 1:
		w.after = afterGroup
		w.at(beforeGroup)
	case verb == "RSET\r\n":
		w.after = afterReset
		w.at(beforeReset)
	case verb == "MAIL":
		w.after = afterMail
		w.at(beforeMail)
	case verb == "RCPT":
		w.after = afterRcpt
		w.at(beforeRcpt)
	case verb == "DATA\r\n":
		w.after = afterData
		w.at(beforeData)
	}
	return w.Conn.Write(b)
}

func (w *watchedConn) Read(b []byte) (int, error) {
	n, err := w.Conn.Read(b)
	w.content = w.content || strings.Contains(string(b[:n]), "354 Go ahead")
	if w.after != "" {
		w.at(w.after)
		w.after = ""
	}
	return n, err
}
