package main

import "github.com/alecthomas/kong"

// variableHelp is what --help says of each environment variable.
var variableHelp = map[string]string{
	"CRONOFY_API_KEY":               "the application's client_secret; required unless --sandbox or --dry-run",
	"CRONOFY_API_KEY_FILE":          "a file that holds it instead",
	"CRONOFY_DATA_CENTER":           "us, au, ca, de, sg or uk",
	"CRONOFY_API_URL":               "instead of the data center; https, or http on loopback",
	"CRONOFY_RATE_PER_SECOND":       "requests to the API in any second; -1: no limit",
	"CRONOFY_RATE_PER_MINUTE":       "requests to the API in any minute; -1: no limit",
	"CRONOFY_TIMEOUT":               "how long one request may take",
	"CRONOFY_CALLBACK_SECRETS":      "more secrets that sign callbacks, separated by commas, while CRONOFY_API_KEY is being replaced",
	"CRONOFY_CALLBACK_SECRETS_FILE": "a file that holds them instead",
	"SMTP_HOST":                     "the submission server; required unless --sandbox or --dry-run",
	"SMTP_PORT":                     "default 587, or 465 with SMTP_TLS=implicit",
	"SMTP_TLS":                      "starttls (mandatory), implicit, or none (loopback only)",
	"SMTP_ALLOW_PLAINTEXT":          "true permits SMTP_TLS=none off loopback, without a login",
	"SMTP_TLS_CA_FILE":              "PEM file to trust instead of the system's roots",
	"SMTP_HELO_NAME":                "default: this host's name",
	"SMTP_AUTH":                     "auto, plain, login, cram-md5, scram-sha-256, xoauth2 or none",
	"SMTP_USERNAME":                 "empty: no login",
	"SMTP_PASSWORD":                 "or the access token for xoauth2",
	"SMTP_PASSWORD_FILE":            "a file that holds it instead",
	"SMTP_CONNECTIONS":              "connections at once (Exchange Online allows 3)",
	"SMTP_RATE_PER_MINUTE":          "mails in any minute; empty: no limit (Exchange Online allows 30)",
	"SMTP_ENVELOPE_FROM":            "where bounces go; default: the From address",
	"ORGANIZER_NAME":                "who invites, if the record names nobody",
	"ORGANIZER_EMAIL":               "and the address",
	"MAIL_FROM":                     "From of every mail; default: the organizer",
	"MAIL_REPLY_TO":                 "where people's replies go; default: the organizer, if that is not the From",
	"MAIL_FROM_DOMAINS":             "domains that From may have, separated by commas; unset: any; empty: an error",
	"MAIL_ONLY_TO":                  "who may be mailed, such as *@example.com, separated by commas; unset: everybody; empty: an error",
	"INVITEMAILER_LEDGER":           "sqlite:PATH or none; default: sqlite, in the user's state directory",
	"INVITEMAILER_APPLICATION": "a name for the API application, where the ledger keeps the invites of several; " +
		"default: the one that has the API key",
	"INVITEMAILER_TEMPLATES":        "a directory laid over the embedded templates",
	"INVITEMAILER_LOCALE":           "language of the mails, if the record names none",
	"INVITEMAILER_CALLBACK_URL":     "told the answers, if the record names none",
	"INVITEMAILER_LOG":              "text or json, on standard error",
	"INVITEMAILER_LOG_LEVEL":        "debug, info, warn or error",
	"INVITEMAILER_LISTEN":           "where serve takes callbacks",
	"INVITEMAILER_ADMIN":            "where serve shows its page and metrics",
	"INVITEMAILER_ADMIN_TOKEN":      "who shows it may see that page; required off loopback",
	"INVITEMAILER_ADMIN_TOKEN_FILE": "a file that holds it instead",
}

// flagHelp is what --help says of commands and flags, where that is long.
var flagHelp = kong.Vars{
	"serve":           "Receive Cronofy's callbacks, keep the answers, and show them; with health and metrics.",
	"check":           "Try the configuration: ledger, API key, SMTP connection, TLS, login, sender. Sends nothing.",
	"templates_check": "Render the templates of DIR about events that are hard to write about, and lint the mails.",

	"accept_organizer": "Let a changed default organizer mail an update to everybody.",
	"cancel_id":        "The smart_invite_id to cancel, instead of a file: for everybody whom the ledger knows to be invited.",
	"cancel_recipient": "Only the invite of this recipient of --id; required without a ledger.",
	"concurrency":      "How many requests to the API are under way at once; 1 takes one invite after another (default 4).",
	"files":            "Records to read, or - for standard input, which is read if no file is named and it is not a terminal.",
	"format":           "Form of the input: json, jsonl, csv, or auto to go by the extension or the first line.",
	"lint": "What a broken rule in the API's calendar does: report it, stop the mail (strict), or nothing " +
		"(off; default report). A mail that no client would show is stopped in any case.",
	"on_unknown": "What becomes of a mail of which it is not known whether it left. Without this flag the " +
		"same bytes leave again, twice at most, 20 and 60 minutes after the first time or later, and then a " +
		"person decides: resend repeats it now (do not leave that in a cron line, it would repeat it in every run), never repeats nothing.",
	"out":              "Where the sandbox puts each message as an .eml file (default sandbox-out).",
	"retry_for":        "How long temporary failures are tried again, and connecting to the mail server may take (default 2m).",
	"same_application": "Record the API key as a new one of the application whose invites the ledger has. Needed once, after the key was replaced.",
	"withdraw_missing": "Withdraw the invites of those who are no longer in the recipients of their record.",

	"outcomes":       "sent,unchanged,expired,failed,deferred,unknown",
	"status_outcome": "Only invites that ended so: sent, unchanged, expired, failed, deferred or unknown; given again, so too.",
	"status_refresh": "First ask the API how each invite stands whose event is not over. Those it was asked " +
		"about the longest ago come first, so that a run that was stopped is taken up by the next.",
	"min_age": "With --refresh: leave alone what the API was asked about less than this long ago, such as 10m.",
	"changes": "With --refresh: write what changed, as serve does, instead of everything.",

	"serve_listen": "Where callbacks are taken, at /cronofy/callback (default 127.0.0.1:8080, or INVITEMAILER_LISTEN).",
	"serve_admin": "Where the page, /invites (JSON), /healthz and /metrics are (default 127.0.0.1:8081, or " +
		"INVITEMAILER_ADMIN). Off loopback it needs INVITEMAILER_ADMIN_TOKEN.",

	"api_addr":         "Where the API is simulated (default 127.0.0.1:8090).",
	"smtp_addr":        "Where mail is taken (default 127.0.0.1:2525).",
	"page_addr":        "Where the page is that shows invites and mails, with buttons to answer (default 127.0.0.1:8091). Loopback only.",
	"sandbox_dir":      "Where each mail is kept as an .eml file, and the ledger of invitemailer (default sandbox-out).",
	"fail_every":       "Every Nth request fails so: a status such as 10:503, or empty, html, truncated, broken or drop.",
	"callback_retries": "How often a callback is repeated that was not taken (default 5).",

	"forget_before": "Forget invites whose event was over before this date (midnight UTC) or time (RFC 3339).",

	"preview_out": "Where the .eml files and the page go (default sandbox-out).",

	"lint_mails":   "Files to check (.eml, .ics or mbox), or - for standard input, which is read if no file is named and it is not a terminal.",
	"lint_level":   "The lowest level to show: error or warning (default warning).",
	"lint_profile": "How strict: any for the mail of others, own for what invitemailer sends (default any).",
}
