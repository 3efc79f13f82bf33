package submission

import (
	"regexp"
	"strconv"
	"strings"
)

// Cause says what a refusal for good (5xx) speaks of. causeOf has the table.
type Cause string

// The causes. The zero value is no refusal for good.
const (
	// CauseMailbox: this recipient's address or mailbox.
	CauseMailbox Cause = "mailbox"
	// CauseContent: this message, its size or its form.
	CauseContent Cause = "content"

	// CauseLogin: no login, the wrong one, or no TLS.
	CauseLogin Cause = "login"
	// CauseSender: the server does not take mail from this sender, or not from
	// this login in its name.
	CauseSender Cause = "sender"
	// CauseRelay: the server does not pass mail on for us.
	CauseRelay Cause = "relay"
	// CauseQuota: the account has sent as much as it may for now.
	CauseQuota Cause = "quota"
	// CauseReputation: this machine, account or domain is blocked.
	CauseReputation Cause = "reputation"

	// CausePolicy: a security or policy status (RFC 3463 section 3.8) that does
	// not say whose. It is this recipient's if the server takes mail for others
	// on the same connection, else ours.
	CausePolicy Cause = "policy"
	// CauseUnclear: a refusal that says nothing, such as a bare 550 or 554. What
	// becomes of messages to others tells more.
	CauseUnclear Cause = "unclear"
)

// Ours reports whether settings, the account or this machine are the cause: the
// message and its recipient are not.
func (c Cause) Ours() bool {
	switch c {
	case CauseLogin, CauseSender, CauseRelay, CauseQuota, CauseReputation:
		return true
	}
	return false
}

// advice says what to do about a cause that is ours.
func (c Cause) advice() string {
	switch c {
	case CauseLogin:
		return "the server wants a login that may submit mail, or TLS: check Username and Password, and TLS"
	case CauseSender:
		return "the server does not let this login send from this address: " +
			"use another From and EnvelopeFrom, or have the server allow it"
	case CauseRelay:
		return "the server passes on mail only of those it knows: " +
			"set Username and Password, or use the submission server of the sender's domain"
	case CauseQuota:
		return "the account has sent as much as it may: run again when its limit is renewed, or have it raised"
	case CauseReputation:
		return "the server blocks this machine, account or domain: ask its operator, " +
			"and look at block lists, reverse DNS, SPF, DKIM and DMARC"
	}
	return ""
}

// statusCauses are the enhanced status codes that say it by themselves.
var statusCauses = map[string]Cause{
	// RFC 3463 section 3.2: the address of the recipient (1, 2, 3, 4, 6), of the
	// sender (7, 8). RFC 7505 section 4: the domain takes no mail (10).
	"5.1.1": CauseMailbox, "5.1.2": CauseMailbox, "5.1.3": CauseMailbox, "5.1.4": CauseMailbox, "5.1.6": CauseMailbox,
	"5.1.10": CauseMailbox, "5.1.7": CauseSender, "5.1.8": CauseSender,
	// RFC 3463 section 3.3: mailbox disabled, full; message too long for it.
	"5.2.1": CauseMailbox, "5.2.2": CauseMailbox, "5.2.3": CauseContent,
	// RFC 3463 section 3.4: the message is too big for the system.
	"5.3.4": CauseContent,
	// RFC 3463 section 3.5: no route to the recipient's host. Gmail's daily
	// limit (https://support.google.com/a/answer/3726730).
	"5.4.4": CauseMailbox, "5.4.5": CauseQuota,
	// RFC 4954 section 6 and RFC 5248: login and encryption.
	"5.7.8": CauseLogin, "5.7.9": CauseLogin, "5.7.10": CauseLogin, "5.7.11": CauseLogin, "5.7.14": CauseLogin,
	// RFC 7293 section 14.1: the mailbox or the domain has another owner now.
	"5.7.17": CauseMailbox, "5.7.18": CauseMailbox,
	// RFC 7372 section 3: DKIM, SPF, reverse DNS. RFC 7505 section 4.2: the
	// sender's domain takes no mail. Mail flood, ARC (IANA's registry).
	"5.7.20": CauseReputation, "5.7.21": CauseReputation, "5.7.22": CauseReputation, "5.7.23": CauseReputation,
	"5.7.24": CauseReputation, "5.7.25": CauseReputation, "5.7.26": CauseReputation, "5.7.27": CauseSender,
	"5.7.28": CauseReputation, "5.7.29": CauseReputation,
	// Exchange (https://learn.microsoft.com/exchange/troubleshoot/email-delivery/ndr/
	// non-delivery-reports-in-exchange-online): recipients per day, send-as denied,
	// not logged in, relay, the login that is switched off.
	"5.1.90": CauseQuota, "5.2.252": CauseSender, "5.7.60": CauseSender, "5.7.750": CauseSender, "5.7.57": CauseLogin,
	"5.7.139": CauseLogin, "5.7.54": CauseRelay, "5.7.64": CauseRelay,
	// The same: mailboxes and groups that take mail from some only.
	"5.7.12": CausePolicy, "5.7.124": CausePolicy, "5.7.129": CausePolicy, "5.7.133": CausePolicy,
	"5.7.134": CausePolicy, "5.7.135": CausePolicy, "5.7.136": CausePolicy,
	// The same: blocked senders, HELO, addresses, DMARC.
	"5.7.501": CauseReputation, "5.7.502": CauseReputation, "5.7.503": CauseReputation, "5.7.506": CauseReputation,
	"5.7.508": CauseReputation, "5.7.509": CauseReputation, "5.7.510": CauseReputation, "5.7.511": CauseReputation,
	"5.7.515": CauseReputation,
}

// textCauses are the phrases by which servers blame us, under whatever code, the
// first that matches. They are all about us: phrases alone never make a refusal
// one of the recipient's, since that is remembered.
var textCauses = []struct {
	phrases *regexp.Regexp // against text in lower case
	cause   Cause
}{
	// Exchange: "RESOLVER.RST.AuthRequired; authentication required" is a group
	// that takes mail from inside only.
	{regexp.MustCompile(`resolver\.rst`), CausePolicy},
	// Exchange: the sender's submission quota. Gmail: "Daily user sending limit
	// exceeded". cPanel: "has exceeded the max emails per hour". Zoho: "Unusual
	// sending activity detected". SendGrid: "Maximum credits exceeded".
	{regexp.MustCompile(`submission ?quota|unusual sending|credits exceeded|send(ing|er) (limit|quota|rate)|` +
		`(daily|hourly|smtp relay) (limit|quota)|rate ?limit|` +
		`too many (messages|mails|emails)|per (hour|day)\b`), CauseQuota},
	// Postfix: "Sender address rejected: not logged in". Exim: "authentication
	// required". Gmail: "Invalid credentials for relay". cPanel: "Please turn on
	// SMTP Authentication in your mail client".
	{regexp.MustCompile(`not logged in|turn on smtp authentication|without authentication|log in first|` +
		`login required|authenti(cation|cate)( is)? (required|needed|first)|` +
		`(must|need to|please) (be )?authenticate|not authenticated|unauthenticated|` +
		`credentials|starttls`), CauseLogin},
	// Postfix: "Relay access denied". Sendmail: "Relaying denied". Exim: "relay
	// not permitted". Exchange: "Unable to relay". qmail: "rcpthosts".
	// Zoho: "Relaying disallowed".
	{regexp.MustCompile(`\brelay(ing)?( access)?( is)? ` +
		`(denied|disallowed|not|prohibited|forbidden|restricted|disabled)|` +
		`(unable|allowed|permitted|authori[sz]ed|cannot|can't|does not|do not|don't|no) (to )?relay|` +
		`rcpthosts`), CauseRelay},
	// Postfix: "Sender address rejected", "not owned by user". Exim: "Sender
	// verify failed". Exchange: "SendAsDenied". SES: "Email address is not
	// verified". SendGrid: "verified Sender Identity". Postmark: "Sender
	// signature". Mailgun: "is not allowed to send:".
	{regexp.MustCompile(`sender (address|verify|identity|signature|domain|rejected|denied|refused)|` +
		`invalid sender|domain of sender|envelope sender|from (address|header)|not verified|` +
		`send ?as\b|sendas|not owned by|` +
		`not (allowed|permitted|authori[sz]ed) to send( (mail|email|messages))?( as| from|:)`), CauseSender},
	// Postfix: "Client host [...] blocked using ...", "Helo command rejected".
	// SES: "Sending suspended for this account". Exchange: "OutboundSpamException".
	{regexp.MustCompile(`outboundspam|client host|blocked using|(block|black|deny) ?list|dnsbl|\brbl\b|` +
		`spamhaus|reputation|banned send|your ip|helo command|reverse (dns|hostname)|\bptr\b|` +
		`\bspf\b|\bdkim\b|\bdmarc\b|unsolicited|sending (suspended|paused|disabled)`), CauseReputation},
	// Exchange: any other "STOREDRV.Submission.Exception" is about what was submitted
	// and how, and not about the recipient's mailbox, whatever its status says.
	{regexp.MustCompile(`storedrv\.submission`), CauseUnclear},
}

// causeOf says what a reply speaks of: code to the command of a step, with its
// enhanced status (empty without one) and its text. It is empty unless the
// reply is a refusal for good, 500 to 599.
//
// The sources are RFC 5321 section 4.2, RFC 3463, RFC 4954 section 6, RFC 7293,
// RFC 7372, RFC 7505 and the pages of Google, Microsoft and Amazon about what
// their servers say.
func causeOf(step Step, code int, enhanced, text string) Cause {
	if code < 500 || code > 599 {
		return ""
	}
	subject, detail := splitStatus(enhanced)
	known := statusCauses[enhanced]
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

// splitStatus returns subject and detail of an enhanced status code, 0 without
// one.
func splitStatus(enhanced string) (subject, detail int) {
	_, rest, _ := strings.Cut(enhanced, ".")
	first, second, _ := strings.Cut(rest, ".")
	subject, _ = strconv.Atoi(first) // not a number: as without one
	detail, _ = strconv.Atoi(second)
	return subject, detail
}
