package submission_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/invitemailer/invitemailer/mailer/submission"
)

// What a server says decides whether an invite is remembered as refused: each
// row is what some server says, and whose fault that is.
func TestCauseOf(t *testing.T) {
	t.Parallel()
	const (
		mail, rcpt, dot = submission.StepMail, submission.StepRcpt, submission.StepDot
	)
	for _, row := range []struct {
		step     submission.Step
		code     int
		enhanced string
		text     string
		want     submission.Cause
	}{
		{dot, 250, "2.0.0", "Ok", ""},
		{rcpt, 450, "4.7.1", "Greylisted", ""},
		{rcpt, 452, "4.2.2", "Over quota", ""},

		{rcpt, 550, "5.1.1",
			"<u@example.com>: Recipient address rejected: User unknown in relay recipient table",
			submission.CauseMailbox},
		{rcpt, 550, "5.1.1", "The email account that you tried to reach does not exist", submission.CauseMailbox},
		{rcpt, 501, "5.1.3", "Bad recipient address syntax", submission.CauseMailbox},
		{rcpt, 551, "5.1.6", "User has moved", submission.CauseMailbox},
		{rcpt, 556, "5.1.10", "Recipient address has null MX", submission.CauseMailbox},
		{rcpt, 550, "5.1.0", "Address rejected", submission.CauseMailbox},
		{rcpt, 550, "5.2.1", "Account disabled", submission.CauseMailbox},
		{rcpt, 552, "5.2.2", "Mailbox full", submission.CauseMailbox},
		{dot, 554, "5.2.0", "STOREDRV.Deliver; delivery result banner", submission.CauseMailbox},
		{rcpt, 550, "5.4.1", "Recipient address rejected: Access denied. AS(201806281)", submission.CauseMailbox},
		{rcpt, 550, "5.4.4", "Host or domain name not found", submission.CauseMailbox},
		{rcpt, 550, "5.7.17", "Mailbox owner has changed", submission.CauseMailbox},

		{mail, 552, "5.3.4", "Message size exceeds fixed limit", submission.CauseContent},
		{mail, 552, "", "Message size exceeds fixed limit", submission.CauseContent},
		{dot, 552, "", "Too much mail data", submission.CauseContent},
		{dot, 552, "5.2.3", "Your message exceeded Google's message size limits", submission.CauseContent},
		{dot, 554, "5.6.0", "Message contains bare line feeds", submission.CauseContent},
		{mail, 553, "5.6.7", "", submission.CauseContent},

		{mail, 530, "5.7.0", "Must issue a STARTTLS command first", submission.CauseLogin},
		{rcpt, 530, "", "Authentication required", submission.CauseLogin},
		{rcpt, 550, "", "authentication required", submission.CauseLogin},
		{mail, 530, "5.7.57", "Client not authenticated to send mail", submission.CauseLogin},
		{rcpt, 553, "5.7.1", "<hr@acme.example>: Sender address rejected: not logged in", submission.CauseLogin},
		{rcpt, 550, "", "Please turn on SMTP Authentication in your mail client", submission.CauseLogin},
		{rcpt, 550, "5.1.0", "We do not accept mail without authentication", submission.CauseLogin},
		{rcpt, 550, "5.7.1", "Invalid credentials for relay [192.0.2.1]", submission.CauseLogin},
		{submission.StepLogin, 535, "5.7.139", "Authentication unsuccessful", submission.CauseLogin},
		{submission.StepTLS, 502, "5.5.1", "Error", submission.CauseLogin},

		{mail, 553, "5.7.1", "<hr@acme.example>: Sender address rejected: not owned by user invites",
			submission.CauseSender},
		{rcpt, 553, "5.7.1", "<hr@acme.example>: Sender address rejected: not owned by user invites",
			submission.CauseSender},
		{mail, 550, "", "who are you", submission.CauseSender},
		{mail, 550, "5.1.1", "Unknown user", submission.CauseSender},
		{mail, 550, "5.7.1", "No", submission.CauseSender},
		{rcpt, 550, "5.1.8", "Sender address rejected: Domain not found", submission.CauseSender},
		{rcpt, 550, "", "Sender verify failed", submission.CauseSender},
		{dot, 554, "5.2.252", "SendAsDenied; invites@example.com not allowed to send as hr@example.com",
			submission.CauseSender},
		{dot, 554, "5.2.0", "STOREDRV.Submission.Exception:SendAsDeniedException.MapiExceptionSendAsDenied",
			submission.CauseSender},
		{dot, 554, "5.2.0",
			"STOREDRV.Submission.Exception:InvalidRecipientsException; " +
				"Failed to process message due to a permanent exception",
			submission.CauseUnclear},
		{dot, 550, "5.7.60", "SMTP; Client does not have permissions to send as this sender", submission.CauseSender},
		{dot, 554, "",
			"Message rejected: Email address is not verified. " +
				"The following identities failed the check in region EU-WEST-1: hr@acme.example",
			submission.CauseSender},
		{dot, 550, "", "The from address does not match a verified Sender Identity", submission.CauseSender},
		{dot, 550, "5.7.27", "Sender address has null MX", submission.CauseSender},

		{rcpt, 554, "5.7.1", "<u1@example.com>: Relay access denied", submission.CauseRelay},
		{rcpt, 550, "5.7.1", "Relaying denied. Proper authentication is not set up", submission.CauseRelay},
		{rcpt, 550, "", "relay not permitted", submission.CauseRelay},
		{rcpt, 550, "5.7.54", "SMTP; Unable to relay recipient in non-accepted domain", submission.CauseRelay},
		{rcpt, 550, "5.7.1", "Unable to relay", submission.CauseRelay},
		{rcpt, 553, "", "sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)", submission.CauseRelay},
		{rcpt, 550, "5.7.64", "TenantAttribution; Relay Access Denied", submission.CauseRelay},

		{rcpt, 553, "", "Relaying disallowed as hr@acme.example", submission.CauseRelay},

		{dot, 550, "5.4.5", "Daily user sending limit exceeded. Try again tomorrow.", submission.CauseQuota},
		{dot, 554, "5.2.0",
			"STOREDRV.Submission.Exception:SubmissionQuotaExceededException; " +
				"the sender's submission quota was exceeded",
			submission.CauseQuota},
		{rcpt, 550, "5.1.90",
			"Your message can't be sent because you've reached your daily limit for message recipients",
			submission.CauseQuota},
		{dot, 550, "5.4.6", "Unusual sending activity detected. Please try after sometime", submission.CauseQuota},
		{rcpt, 550, "", "Maximum credits exceeded", submission.CauseQuota},
		{rcpt, 550, "", "Domain acme.example has exceeded the max emails per hour (150/150) allowed",
			submission.CauseQuota},

		{rcpt, 554, "5.7.1", "Service unavailable; Client host [192.0.2.1] blocked using zen.spamhaus.org",
			submission.CauseReputation},
		{rcpt, 554, "5.7.1", "<host>: Client host rejected: Access denied", submission.CauseReputation},
		{submission.StepGreeting, 554, "", "No SMTP service here", submission.CauseReputation},
		{dot, 550, "5.7.26", "This mail has been blocked because the sender is unauthenticated",
			submission.CauseReputation},
		{dot, 550, "5.7.1", "Our system has detected that this message is likely unsolicited mail",
			submission.CauseReputation},
		{dot, 550, "5.7.515", "Access denied, sending domain does not meet the required authentication level",
			submission.CauseReputation},
		{dot, 550, "5.7.606", "Access denied, banned sending IP", submission.CauseReputation},
		{dot, 550, "5.7.705", "Access denied, tenant has exceeded threshold", submission.CauseReputation},
		{dot, 554, "", "Message rejected: Sending suspended for this account", submission.CauseReputation},
		{dot, 554, "5.2.0",
			"STOREDRV.Submission.Exception:OutboundSpamException; " +
				"Failed to process message due to a permanent exception",
			submission.CauseReputation},

		{rcpt, 550, "5.7.124", "RESOLVER.RST.SenderNotInAllowedList; not in allowed-senders list",
			submission.CausePolicy},
		{rcpt, 550, "5.7.133", "RESOLVER.RST.SenderNotAuthenticatedForGroup; authentication required",
			submission.CausePolicy},
		{rcpt, 550, "5.7.1", "RESOLVER.RST.AuthRequired; authentication required", submission.CausePolicy},
		{rcpt, 554, "5.7.1", "<board@acme.example>: Recipient address rejected: Access denied", submission.CausePolicy},
		{dot, 550, "5.7.1", "Message refused", submission.CausePolicy},

		{rcpt, 550, "", "No such user here", submission.CauseUnclear},
		{rcpt, 554, "", "Transaction failed", submission.CauseUnclear},
		{rcpt, 550, "5.0.0", "Refused", submission.CauseUnclear},
		{rcpt, 554, "5.3.0", "Local error", submission.CauseUnclear},
		{rcpt, 552, "", "Exceeded storage allocation", submission.CauseUnclear},
		{submission.StepData, 554, "5.5.1", "No valid recipients", submission.CauseUnclear},
		{dot, 554, "", "Transaction failed", submission.CauseUnclear},
	} {
		assert.Equal(
			t,
			row.want,
			submission.CauseOf(row.step, row.code, row.enhanced, row.text),
			"%s: %d %s %s",
			row.step,
			row.code,
			row.enhanced,
			row.text,
		)
	}
}

// Each cause that is ours comes with advice, and no other does: it would blame
// the settings for a mailbox that is not there.
func TestCauseOurs(t *testing.T) {
	t.Parallel()
	for cause, ours := range map[submission.Cause]bool{
		submission.CauseLogin: true, submission.CauseSender: true, submission.CauseRelay: true,
		submission.CauseQuota:      true,
		submission.CauseReputation: true, "": false, submission.CauseMailbox: false, submission.CauseContent: false,
		submission.CausePolicy: false, submission.CauseUnclear: false,
	} {
		assert.Equal(t, ours, cause.Ours(), "%s", cause)
	}
}
