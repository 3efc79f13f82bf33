package main

// settings is the whole configuration as it is written down: each is an
// environment variable, and those with a name in their kong tag are flags too.
// All of them are text, so that what cannot be read is told by this command,
// all at once, and never with a secret in it. A guard is text, too.
type settings struct {
	APIKey        string `envconfig:"CRONOFY_API_KEY" desc:"the application's client_secret; required unless --sandbox or --dry-run" kong:"-"`
	APIKeyFile    string `envconfig:"CRONOFY_API_KEY_FILE" desc:"a file that holds it instead" kong:"-"`
	DataCenter    string `envconfig:"CRONOFY_DATA_CENTER" default:"us" desc:"us, au, ca, de, sg or uk" kong:"name='data-center',placeholder='NAME',help='CRONOFY_DATA_CENTER'"`
	APIURL        string `envconfig:"CRONOFY_API_URL" desc:"instead of the data center; https, or http on loopback" kong:"name='api-url',placeholder='URL',help='CRONOFY_API_URL'"`
	RatePerSecond string `envconfig:"CRONOFY_RATE_PER_SECOND" default:"50" desc:"requests to the API in any second; -1: no limit" kong:"-"`
	RatePerMinute string `envconfig:"CRONOFY_RATE_PER_MINUTE" default:"500" desc:"requests to the API in any minute; -1: no limit" kong:"-"`
	APITimeout    string `envconfig:"CRONOFY_TIMEOUT" default:"30s" desc:"how long one request may take" kong:"-"`

	CallbackSecrets     string `envconfig:"CRONOFY_CALLBACK_SECRETS" desc:"more secrets that sign callbacks, separated by commas, while CRONOFY_API_KEY is being replaced" kong:"-"`
	CallbackSecretsFile string `envconfig:"CRONOFY_CALLBACK_SECRETS_FILE" desc:"a file that holds them instead" kong:"-"`

	SMTPHost           string `envconfig:"SMTP_HOST" desc:"the submission server; required unless --sandbox or --dry-run" kong:"name='smtp-host',placeholder='HOST',help='SMTP_HOST'"`
	SMTPPort           string `envconfig:"SMTP_PORT" desc:"default 587, or 465 with SMTP_TLS=implicit" kong:"name='smtp-port',placeholder='PORT',help='SMTP_PORT'"`
	SMTPTLS            string `envconfig:"SMTP_TLS" default:"starttls" desc:"starttls (mandatory), implicit, or none (loopback only)" kong:"name='smtp-tls',placeholder='MODE',help='SMTP_TLS'"`
	SMTPAllowPlaintext string `envconfig:"SMTP_ALLOW_PLAINTEXT" default:"false" desc:"true permits SMTP_TLS=none off loopback, without a login" kong:"-"`
	SMTPCAFile         string `envconfig:"SMTP_TLS_CA_FILE" desc:"PEM file to trust instead of the system's roots" kong:"-"`
	SMTPHELOName       string `envconfig:"SMTP_HELO_NAME" desc:"default: this host's name" kong:"-"`
	SMTPAuth           string `envconfig:"SMTP_AUTH" default:"auto" desc:"auto, plain, login, cram-md5, scram-sha-256, xoauth2 or none" kong:"-"`
	SMTPUsername       string `envconfig:"SMTP_USERNAME" desc:"empty: no login" kong:"-"`
	SMTPPassword       string `envconfig:"SMTP_PASSWORD" desc:"or the access token for xoauth2" kong:"-"`
	SMTPPasswordFile   string `envconfig:"SMTP_PASSWORD_FILE" desc:"a file that holds it instead" kong:"-"`
	SMTPConnections    string `envconfig:"SMTP_CONNECTIONS" default:"2" desc:"connections at once (Exchange Online allows 3)" kong:"-"`
	SMTPRatePerMinute  string `envconfig:"SMTP_RATE_PER_MINUTE" desc:"mails in any minute; empty: no limit (Exchange Online allows 30)" kong:"-"`
	SMTPEnvelopeFrom   string `envconfig:"SMTP_ENVELOPE_FROM" desc:"where bounces go; default: the From address" kong:"-"`

	OrganizerName  string `envconfig:"ORGANIZER_NAME" desc:"who invites, if the record names nobody" kong:"-"`
	OrganizerEmail string `envconfig:"ORGANIZER_EMAIL" desc:"and the address" kong:"-"`

	MailFrom        string `envconfig:"MAIL_FROM" desc:"From of every mail; default: the organizer" kong:"name='from',placeholder='ADDRESS',help='MAIL_FROM'"`
	MailReplyTo     string `envconfig:"MAIL_REPLY_TO" desc:"where people's replies go; default: the organizer, if that is not the From" kong:"name='reply-to',placeholder='ADDRESS',help='MAIL_REPLY_TO'"`
	MailFromDomains guard  `envconfig:"MAIL_FROM_DOMAINS" desc:"domains that From may have, separated by commas; unset: any; empty: an error" kong:"-"`
	MailOnlyTo      guard  `envconfig:"MAIL_ONLY_TO" desc:"who may be mailed, such as *@example.com, separated by commas; unset: everybody; empty: an error" kong:"name='only-to',placeholder='PATTERNS',help='MAIL_ONLY_TO'"`

	Ledger      string `envconfig:"INVITEMAILER_LEDGER" desc:"sqlite:PATH or none; default: sqlite, in the user's state directory" kong:"name='ledger',placeholder='LEDGER',help='INVITEMAILER_LEDGER'"`
	Application string `envconfig:"INVITEMAILER_APPLICATION" desc:"a name for the API application, where the ledger keeps the invites of several; default: the one that has the API key" kong:"-"`
	Templates   string `envconfig:"INVITEMAILER_TEMPLATES" desc:"a directory laid over the embedded templates" kong:"name='templates',placeholder='DIR',help='INVITEMAILER_TEMPLATES'"`
	Locale      string `envconfig:"INVITEMAILER_LOCALE" default:"en" desc:"language of the mails, if the record names none" kong:"name='locale',placeholder='TAG',help='INVITEMAILER_LOCALE'"`
	CallbackURL string `envconfig:"INVITEMAILER_CALLBACK_URL" desc:"told the answers, if the record names none" kong:"name='callback-url',placeholder='URL',help='INVITEMAILER_CALLBACK_URL'"`
	Log         string `envconfig:"INVITEMAILER_LOG" default:"text" desc:"text or json, on standard error" kong:"name='log',placeholder='FORM',help='INVITEMAILER_LOG'"`
	LogLevel    string `envconfig:"INVITEMAILER_LOG_LEVEL" default:"info" desc:"debug, info, warn or error" kong:"name='log-level',placeholder='LEVEL',help='INVITEMAILER_LOG_LEVEL'"`

	Listen         string `envconfig:"INVITEMAILER_LISTEN" default:"127.0.0.1:8080" desc:"where serve takes callbacks" kong:"-"`
	Admin          string `envconfig:"INVITEMAILER_ADMIN" default:"127.0.0.1:8081" desc:"where serve shows its page and metrics" kong:"-"`
	AdminToken     string `envconfig:"INVITEMAILER_ADMIN_TOKEN" desc:"who shows it may see that page; required off loopback" kong:"-"`
	AdminTokenFile string `envconfig:"INVITEMAILER_ADMIN_TOKEN_FILE" desc:"a file that holds it instead" kong:"-"`
}

// The values of settings.Log.
const (
	logText = "text"
	logJSON = "json"
)
