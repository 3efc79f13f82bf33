package mailer_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/invitemailer/invitemailer/cronofy/cronofytest"
	"github.com/invitemailer/invitemailer/internal/smtptest"
	"github.com/invitemailer/invitemailer/mailer"
)

// at makes a script that breaks the first transaction at one point.
func at(p smtptest.Point, f smtptest.Fault) smtptest.Script {
	return func(e smtptest.Event) smtptest.Fault {
		if e.Point == p && e.Transaction <= 1 {
			return f
		}
		return smtptest.Fault{}
	}
}

// TestOutcomes drives one invite through everything that its services can do
// to it, and holds the receipt and what really left against each other.
func TestOutcomes(t *testing.T) {
	t.Parallel()
	past := func(i *mailer.Invite) {
		i.Event.Start.Time, i.Event.End.Time = today.Add(-2*time.Hour), today.Add(-time.Hour)
	}
	for name, tc := range map[string]struct {
		invite  func(*mailer.Invite)
		config  func(*mailer.Config)
		api     *cronofytest.Fault
		smtp    smtptest.Script
		outcome mailer.Outcome
		stage   mailer.Stage
		code    mailer.Code
		asked   int // requests to the API
		left    int // messages that the SMTP server took
		stops   bool
		perm    bool
	}{
		"accepted": {outcome: mailer.Sent, asked: 1, left: 1},
		"QUIT fails": {smtp: at(smtptest.AtQuit, smtptest.HangUp()), outcome: mailer.Sent, asked: 1,
			left: 1},
		"invalid": {invite: func(i *mailer.Invite) { i.Recipient.Email = "ann" },
			outcome: mailer.Invalid, stage: mailer.StageRead, code: mailer.CodeInvalid},
		"expired": {invite: past, outcome: mailer.Expired, stage: mailer.StagePolicy,
			code: mailer.CodeExpired},
		"past, allowed": {invite: past, config: func(c *mailer.Config) { c.AllowPast = true },
			outcome: mailer.Sent, asked: 1, left: 1},
		"past, in a sandbox": {invite: past, config: func(c *mailer.Config) { c.PastWarns = true },
			outcome: mailer.Sent, asked: 1, left: 1},
		"dry run": {config: func(c *mailer.Config) { c.DryRun = true }, outcome: mailer.Valid},
		"recipient not allowed": {config: func(c *mailer.Config) { c.OnlyTo = []string{"*@example.com"} },
			outcome: mailer.Failed, stage: mailer.StagePolicy, code: mailer.Code("recipient_not_allowed")},
		"API 401": {api: cronofytest.FaultStatus(401, 0), outcome: mailer.Deferred,
			stage: mailer.StageCreate, code: mailer.CodeUnauthorized, asked: 1, stops: true},
		"API 402": {api: cronofytest.FaultStatus(402, 0), outcome: mailer.Deferred,
			stage: mailer.StageCreate, code: mailer.Code("plan"), asked: 1, stops: true},
		"API 403": {api: cronofytest.FaultStatus(403, 0), outcome: mailer.Deferred,
			stage: mailer.StageCreate, code: mailer.Code("forbidden"), asked: 1, stops: true},
		"API 404": {api: cronofytest.FaultStatus(404, 0), outcome: mailer.Failed,
			stage: mailer.StageCreate, code: mailer.Code("not_found"), asked: 1},
		"API 422": {api: cronofytest.FaultStatus(422, 0), outcome: mailer.Failed,
			stage: mailer.StageCreate, code: mailer.CodeRejected, asked: 1, perm: true},
		"API 429": {api: cronofytest.FaultStatus(429, time.Minute), outcome: mailer.Deferred,
			stage: mailer.StageCreate, code: mailer.Code("rate_limited"), asked: 1},
		"API 503": {api: cronofytest.FaultStatus(503, 0), outcome: mailer.Deferred,
			stage: mailer.StageCreate, code: mailer.Code("server_error"), asked: 1},
		"API answers HTML": {api: cronofytest.FaultHTML(), outcome: mailer.Deferred,
			stage: mailer.StageCreate, code: mailer.Code("transport"), asked: 1},
		"API answers nothing": {api: cronofytest.FaultEmpty(), outcome: mailer.Deferred,
			stage: mailer.StageCreate, code: mailer.Code("transport"), asked: 1},
		"API answers half": {api: cronofytest.FaultTruncated(), outcome: mailer.Deferred,
			stage: mailer.StageCreate, code: mailer.Code("transport"), asked: 1},
		"API answers too much": {api: cronofytest.FaultOversized(), outcome: mailer.Deferred,
			stage: mailer.StageCreate, code: mailer.Code("transport"), asked: 1},
		"API answers broken JSON": {api: cronofytest.FaultBrokenJSON(), outcome: mailer.Deferred,
			stage: mailer.StageCreate, code: mailer.Code("transport"), asked: 1},
		"API hangs up": {api: cronofytest.FaultDrop(), outcome: mailer.Deferred,
			stage: mailer.StageCreate, code: mailer.Code("transport"), asked: 1},
		"no calendar": {api: broken("missing"), outcome: mailer.Failed, stage: mailer.StageCalendar,
			code: mailer.Code("no_calendar"), asked: 1},
		"empty list of attachments": {api: broken("list"), outcome: mailer.Failed, stage: mailer.StageCalendar,
			code: mailer.Code("no_calendar"), asked: 1},
		"calendar cannot be read": {api: broken("truncated"), outcome: mailer.Failed, stage: mailer.StageCalendar,
			code: mailer.Code("unreadable_calendar"), asked: 1},
		"calendar is nonsense": {api: broken("nonsense"), outcome: mailer.Failed, stage: mailer.StageCalendar,
			code: mailer.Code("unreadable_calendar"), asked: 1},
		"calendar is huge": {api: broken("huge"), outcome: mailer.Failed, stage: mailer.StageCalendar,
			code: mailer.Code("unreadable_calendar"), asked: 1},
		"calendar for another method": {api: broken("other method"), outcome: mailer.Failed,
			stage: mailer.StageCalendar, code: mailer.Code("wrong_method"), asked: 1},
		"calendar without a method": {api: broken("no method"), outcome: mailer.Failed, stage: mailer.StageCalendar,
			code: mailer.Code("wrong_method"), asked: 1},
		"calendar for somebody else": {api: broken("other attendee"), outcome: mailer.Failed,
			stage: mailer.StageCalendar, code: mailer.Code("wrong_recipient"), asked: 1},
		"calendar without UID": {api: broken("no uid"), outcome: mailer.Failed, stage: mailer.StageCalendar,
			code: mailer.Code("no_uid"), asked: 1},
		"SMTP greets with 554": {smtp: at(smtptest.AtGreeting, smtptest.Say("554 go away")),
			outcome: mailer.Deferred, stage: mailer.StageSubmit, code: mailer.CodeSMTPConfig, asked: 1, stops: true},
		"SMTP greets with 421": {smtp: at(smtptest.AtGreeting, smtptest.ShutDown()), outcome: mailer.Deferred,
			stage: mailer.StageSubmit, code: mailer.CodeSMTPTemporary, asked: 1},
		"MAIL 451": {smtp: at(smtptest.AtMail, smtptest.Say("451 later")), outcome: mailer.Deferred,
			stage: mailer.StageSubmit, code: mailer.CodeSMTPTemporary, asked: 1},
		"MAIL 550": {smtp: at(smtptest.AtMail, smtptest.Say("550 who are you")),
			outcome: mailer.Deferred, stage: mailer.StageSubmit, code: mailer.CodeSMTPConfig, asked: 1, stops: true},
		"MAIL 530": {smtp: at(smtptest.AtMail, smtptest.Say("530 5.7.0 Authentication required")),
			outcome: mailer.Deferred, stage: mailer.StageSubmit, code: mailer.CodeSMTPConfig, asked: 1, stops: true},
		"MAIL 553, the sender": {smtp: at(smtptest.AtMail,
			smtptest.Say("553 5.7.1 <jane@example.com>: Sender address rejected: not owned by user")),
			outcome: mailer.Deferred, stage: mailer.StageSubmit, code: mailer.CodeSMTPConfig, asked: 1, stops: true},
		"RCPT 553, the sender": {smtp: at(smtptest.AtRcpt,
			smtptest.Say("553 5.7.1 <jane@example.com>: Sender address rejected: not owned by user")),
			outcome: mailer.Deferred, stage: mailer.StageSubmit, code: mailer.CodeSMTPConfig, asked: 1, stops: true},
		"RCPT 554, relaying": {smtp: at(smtptest.AtRcpt,
			smtptest.Say("554 5.7.1 <ann@example.org>: Relay access denied")), outcome: mailer.Deferred,
			stage: mailer.StageSubmit, code: mailer.CodeSMTPConfig, asked: 1, stops: true},
		"RCPT 554, blocked": {smtp: at(smtptest.AtRcpt,
			smtptest.Say("554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using bl.example")),
			outcome: mailer.Deferred, stage: mailer.StageSubmit, code: mailer.CodeSMTPConfig, asked: 1, stops: true},
		"RCPT 550, bare": {smtp: at(smtptest.AtRcpt, smtptest.Say("550 no")), outcome: mailer.Failed,
			stage: mailer.StageSubmit, code: mailer.CodeSMTPRefused, asked: 1},
		"RCPT 554, policy": {smtp: at(smtptest.AtRcpt,
			smtptest.Say("554 5.7.1 <ann@example.org>: Recipient address rejected: Access denied")),
			outcome: mailer.Failed, stage: mailer.StageSubmit, code: mailer.CodeSMTPRefused, asked: 1},
		"dot 550, daily quota": {smtp: at(smtptest.AtDot,
			smtptest.Say("550 5.4.5 Daily user sending limit exceeded. Try again tomorrow.")), outcome: mailer.Deferred,
			stage: mailer.StageSubmit, code: mailer.CodeSMTPTemporary, asked: 1, stops: true},
		"dot 554, submission quota": {smtp: at(smtptest.AtDot,
			smtptest.Say("554 5.2.0 STOREDRV.Submission.Exception:SubmissionQuotaExceededException")),
			outcome: mailer.Deferred, stage: mailer.StageSubmit, code: mailer.CodeSMTPTemporary, asked: 1, stops: true},
		"dot 554, send-as denied": {smtp: at(smtptest.AtDot,
			smtptest.Say("554 5.2.252 SendAsDenied; invites@example.com not allowed to send as jane@example.com")),
			outcome: mailer.Deferred, stage: mailer.StageSubmit, code: mailer.CodeSMTPConfig, asked: 1, stops: true},
		"dot 554, not verified": {smtp: at(smtptest.AtDot,
			smtptest.Say("554 Message rejected: Email address is not verified. The following identities failed the check in region EU-WEST-1: jane@example.com")), outcome: mailer.Deferred, stage: mailer.StageSubmit, code: mailer.CodeSMTPConfig, asked: 1, stops: true},
		"dot 554, bare": {smtp: at(smtptest.AtDot, smtptest.Say("554 no")), outcome: mailer.Failed,
			stage: mailer.StageSubmit, code: mailer.CodeSMTPRefused, asked: 1},
		"RCPT 450": {smtp: at(smtptest.AtRcpt, smtptest.Say("450 4.2.0 greylisted")),
			outcome: mailer.Deferred, stage: mailer.StageSubmit, code: mailer.CodeSMTPTemporary, asked: 1},
		"RCPT 550": {smtp: at(smtptest.AtRcpt, smtptest.Say("550 5.1.1 no such user")),
			outcome: mailer.Failed, stage: mailer.StageSubmit, code: mailer.CodeSMTPRefused, asked: 1, perm: true},
		"DATA hangs up": {smtp: at(smtptest.AtData, smtptest.HangUp()), outcome: mailer.Deferred,
			stage: mailer.StageSubmit, code: mailer.CodeSMTPTemporary, asked: 1},
		"content refused": {smtp: at(smtptest.AtDot, smtptest.Fault{Reply: "554 5.6.0 no", Lost: true}),
			outcome: mailer.Failed, stage: mailer.StageSubmit, code: mailer.CodeSMTPRefused, asked: 1, perm: true},
		"content later": {smtp: at(smtptest.AtDot, smtptest.Fault{Reply: "451 4.3.0 later", Lost: true}),
			outcome: mailer.Deferred, stage: mailer.StageSubmit, code: mailer.CodeSMTPTemporary, asked: 1},
		"no answer to the dot, taken": {smtp: at(smtptest.AtDot, smtptest.HangUp()), outcome: mailer.Unknown,
			stage: mailer.StageSubmit, code: mailer.CodeNoReply, asked: 1, left: 1},
		"no answer to the dot, lost": {smtp: at(smtptest.AtDot, smtptest.Fault{Lost: true, Then: smtptest.Close}),
			outcome: mailer.Unknown, stage: mailer.StageSubmit, code: mailer.CodeNoReply, asked: 1},
		"garbage as answer to the dot": {smtp: at(smtptest.AtDot, smtptest.Garbage()), outcome: mailer.Unknown,
			stage: mailer.StageSubmit, code: mailer.CodeNoReply, asked: 1, left: 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newFixture(t, tc.smtp)
			h.setFault(func(*cronofytest.Request) *cronofytest.Fault { return tc.api })
			if tc.config != nil {
				tc.config(&h.cfg)
			}
			invite := boardMeeting()
			if tc.invite != nil {
				tc.invite(&invite)
			}
			r, err := h.mailer(t).Send(context.Background(), invite)
			assert.Equal(t, tc.outcome, r.Outcome, "%v", err)
			assert.Equal(t, tc.asked, h.api.Count(), "requests")
			assert.Len(t, h.smtp.Accepted(), tc.left, "messages taken")
			assert.Equal(t, invite.ID, r.InviteID)
			assert.Equal(t, invite.Recipient.Email, r.Recipient)
			assert.Equal(t, today, r.At)
			if tc.code == "" {
				require.NoError(t, err)
				assert.Nil(t, r.Error)
				return
			}
			var e *mailer.Error
			require.ErrorAs(t, err, &e)
			assert.Same(t, r.Error, e)
			assert.Equal(t, tc.stage, e.Stage)
			assert.Equal(t, tc.code, e.Code)
			assert.Equal(t, tc.stops, e.StopsRun, "stops the run")
			assert.Equal(t, tc.perm, e.Permanent, "permanent")
			assert.NotContains(t, e.Error(), "ann@", "an error names no recipient")
			assert.NotContains(t, e.Error(), "CRN_secret")
		})
	}
}

func broken(kind string) *cronofytest.Fault {
	return cronofytest.FaultBrokenCalendar(kind)
}
