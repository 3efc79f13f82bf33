package submission

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Cause says what a refusal for good (5xx) speaks of. causeOf has the table.
type Cause string

// The causes. The zero value is no refusal for good.
const (
	CauseMailbox Cause = "mailbox" // this recipient's address or mailbox
	CauseContent Cause = "content" // this message, its size or its form

	CauseLogin      Cause = "login"      // no login, the wrong one, or no TLS
	CauseSender     Cause = "sender"     // no mail from this sender, or not from this login in its name
	CauseRelay      Cause = "relay"      // the server does not pass mail on for us
	CauseQuota      Cause = "quota"      // the account has sent as much as it may for now
	CauseReputation Cause = "reputation" // this machine, account or domain is blocked

	// CausePolicy: a security or policy status (RFC 3463 section 3.8) that does not say whose. It
	// is this recipient's if the server takes mail for others on the same connection, else ours.
	CausePolicy Cause = "policy"
	// CauseUnclear: a refusal that says nothing, such as a bare 550 or 554. What becomes of
	// messages to others tells more.
	CauseUnclear Cause = "unclear"
)

// ownCauses are the causes that are ours, and what to do about them.
var ownCauses = map[Cause]string{
	CauseLogin: "the server wants a login that may submit mail, or TLS: " +
		"check Config.Username and Config.Password, and Config.TLS",
	CauseSender: "the server does not let this login send from this address: " +
		"use another mailer.Config.From and mailer.Config.EnvelopeFrom, or have the server allow it",
	CauseRelay: "the server passes on mail only of those it knows: " +
		"set Config.Username and Config.Password, or use the submission server of the sender's domain",
	CauseQuota: "the account has sent as much as it may: run again when its limit is renewed, or have it raised",
	CauseReputation: "the server blocks this machine, account or domain: ask its operator, " +
		"and look at block lists, reverse DNS, SPF, DKIM and DMARC",
}

// Ours reports whether settings, the account or this machine are the cause: the message and its
// recipient are not.
func (c Cause) Ours() bool { return ownCauses[c] != "" }

// statusCauses are the enhanced status codes that say it by themselves. Exchange's are of
// https://learn.microsoft.com/exchange/troubleshoot/email-delivery/ndr/non-delivery-reports-in-exchange-online
var statusCauses = []struct {
	cause Cause
	codes string
}{
	{CauseMailbox, "5.1.1 5.1.2 5.1.3 5.1.4 5.1.6"},         // RFC 3463 section 3.2
	{CauseMailbox, "5.1.10"},                                // RFC 7505 section 4: the domain takes no mail
	{CauseMailbox, "5.2.1 5.2.2 5.4.4"},                     // RFC 3463 sections 3.3, 3.5: disabled, full, no route
	{CauseMailbox, "5.7.17 5.7.18"},                         // RFC 7293 section 14.1: it has another owner now
	{CauseContent, "5.2.3 5.3.4"},                           // RFC 3463 sections 3.3, 3.4: too long, too big
	{CauseLogin, "5.7.8 5.7.9 5.7.10 5.7.11 5.7.14"},        // RFC 4954 section 6, RFC 5248
	{CauseLogin, "5.7.57 5.7.139"},                          // Exchange: not logged in, switched off
	{CauseSender, "5.1.7 5.1.8 5.7.27"},                     // RFC 3463 section 3.2, RFC 7505 section 4.2
	{CauseSender, "5.2.252 5.7.60 5.7.750"},                 // Exchange: send-as denied
	{CauseRelay, "5.7.54 5.7.64"},                           // Exchange
	{CauseQuota, "5.1.90"},                                  // Exchange: recipients per day
	{CauseQuota, "5.4.5"},                                   // https://support.google.com/a/answer/3726730
	{CauseReputation, "5.7.20 5.7.21 5.7.22 5.7.23 5.7.24"}, // RFC 7372 section 3: DKIM, SPF
	{CauseReputation, "5.7.25 5.7.26 5.7.28 5.7.29"},        // RFC 7372 section 3, IANA: DNS, flood, ARC
	{CauseReputation, "5.7.501 5.7.502 5.7.503 5.7.506"},    // Exchange: blocked senders, HELO
	{CauseReputation, "5.7.508 5.7.509 5.7.510"},            // Exchange: blocked addresses, DMARC
	{CauseReputation, "5.7.511 5.7.515"},                    // Exchange: the same
	{CausePolicy, "5.7.12 5.7.124 5.7.129 5.7.133"},         // Exchange: takes mail from some only
	{CausePolicy, "5.7.134 5.7.135 5.7.136"},                // Exchange: the same
}

// textCauses are the phrases by which servers blame us, under whatever code, the first that
// matches. They are all about us: phrases alone never make a refusal one of the recipient's, since
// that is remembered.
var textCauses = []struct {
	phrases *regexp.Regexp // against text in lower case
	cause   Cause
}{
	// Exchange: "RESOLVER.RST.AuthRequired; authentication required" is a group that takes mail
	// from inside only.
	{regexp.MustCompile(`resolver\.rst`), CausePolicy},
	// Exchange: the sender's submission quota. Gmail: "Daily user sending limit exceeded". cPanel:
	// "has exceeded the max emails per hour". Zoho: "Unusual sending activity detected". SendGrid:
	// "Maximum credits exceeded".
	{regexp.MustCompile(`submission ?quota|unusual sending|credits exceeded|send(ing|er) (limit|quota|rate)|` +
		`(daily|hourly|smtp relay) (limit|quota)|rate ?limit|` +
		`too many (messages|mails|emails)|per (hour|day)\b`), CauseQuota},
	// Postfix: "Sender address rejected: not logged in". Exim: "authentication required". Gmail:
	// "Invalid credentials for relay". cPanel: "Please turn on SMTP Authentication in your mail
	// client".
	{regexp.MustCompile(`not logged in|turn on smtp authentication|without authentication|log in first|` +
		`login required|authenti(cation|cate)( is)? (required|needed|first)|` +
		`(must|need to|please) (be )?authenticate|not authenticated|unauthenticated|` +
		`credentials|starttls`), CauseLogin},
	// Postfix: "Relay access denied". Sendmail: "Relaying denied". Exim: "relay not permitted".
	// Exchange: "Unable to relay". qmail: "rcpthosts". Zoho: "Relaying disallowed".
	{regexp.MustCompile(`\brelay(ing)?( access)?( is)? ` +
		`(denied|disallowed|not|prohibited|forbidden|restricted|disabled)|` +
		`(unable|allowed|permitted|authori[sz]ed|cannot|can't|does not|do not|don't|no) (to )?relay|` +
		`rcpthosts`), CauseRelay},
	// Postfix: "Sender address rejected", "not owned by user". Exim: "Sender verify failed".
	// Exchange: "SendAsDenied". SES: "Email address is not verified". SendGrid: "verified Sender
	// Identity". Postmark: "Sender signature". Mailgun: "is not allowed to send:".
	{regexp.MustCompile(`sender (address|verify|identity|signature|domain|rejected|denied|refused)|` +
		`invalid sender|domain of sender|envelope sender|from (address|header)|not verified|` +
		`send ?as\b|sendas|not owned by|` +
		`not (allowed|permitted|authori[sz]ed) to send( (mail|email|messages))?( as| from|:)`), CauseSender},
	// Postfix: "Client host [...] blocked using ...", "Helo command rejected". SES: "Sending
	// suspended for this account". Exchange: "OutboundSpamException".
	{regexp.MustCompile(`outboundspam|client host|blocked using|(block|black|deny) ?list|dnsbl|\brbl\b|` +
		`spamhaus|reputation|banned send|your ip|helo command|reverse (dns|hostname)|\bptr\b|` +
		`\bspf\b|\bdkim\b|\bdmarc\b|unsolicited|sending (suspended|paused|disabled)`), CauseReputation},
	// Exchange: any other "STOREDRV.Submission.Exception" is about what was submitted and how, and
	// not about the recipient's mailbox, whatever its status says.
	{regexp.MustCompile(`storedrv\.submission`), CauseUnclear},
}

// causeOf says what a reply speaks of: code to the command of a step, with its enhanced status
// (empty without one) and its text. It is empty unless the reply is a refusal for good, 500 to 599.
//
// The sources are RFC 5321 section 4.2, RFC 3463, RFC 4954 section 6, RFC 7293, RFC 7372, RFC 7505
// and the pages of Google, Microsoft and Amazon about what their servers say.
func causeOf(step Step, code int, enhanced, text string) Cause {
	if code < 500 || code > 599 {
		return ""
	}
	var class, subject, detail int // 0 without a status
	_, _ = fmt.Sscanf(enhanced, "%d.%d.%d", &class, &subject, &detail)
	var known Cause
	for _, row := range statusCauses {
		if slices.Contains(strings.Fields(row.codes), enhanced) {
			known = row.cause
		}
	}
	if subject == 7 && (detail >= 606 && detail <= 649 || detail >= 700 && detail <= 749) {
		known = CauseReputation // Exchange: addresses and tenants that are blocked
	}
	if subject == 6 { // RFC 3463 section 3.7: content and media
		known = CauseContent
	}
	switch {
	case code == 530, code == 534, code == 535, code == 538, step == StepLogin, step == StepTLS:
		return CauseLogin // RFC 4954 section 6, RFC 3207 section 4
	case step == StepMail && (known == CauseMailbox || known == CausePolicy):
		// It is about the sender: no other address was named yet.
	case known != "":
		return known
	}
	text = strings.ToLower(text)
	for _, t := range textCauses {
		if t.phrases.MatchString(text) {
			return t.cause
		}
	}
	switch {
	case step == StepGreeting, step == StepDial:
		return CauseReputation // RFC 5321 section 3.1: no service, to us
	case code == 552 && subject == 0 && step != StepRcpt:
		return CauseContent // RFC 1870 section 6.2: too large
	case step == StepMail:
		return CauseSender
	case subject == 1, subject == 2:
		return CauseMailbox // RFC 3463 sections 3.2 and 3.3
	case enhanced == "5.4.1" && strings.Contains(text, "recipient address rejected"):
		return CauseMailbox // Exchange: no such mailbox
	case subject == 7:
		return CausePolicy
	}
	return CauseUnclear
}
