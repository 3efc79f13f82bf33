package main

// settings is the configuration as the user writes it: the variable, the library's field that it
// sets, and the flag, if it is one (kong:"-" is none). All values are text, so that all that cannot
// be read are reported at once, and no secret among them.
type settings struct {
	APIKey        string `envconfig:"CRONOFY_API_KEY" field:"cronofy.APIKey" kong:"-"`
	APIKeyFile    string `envconfig:"CRONOFY_API_KEY_FILE" kong:"-"`
	DataCenter    string `envconfig:"CRONOFY_DATA_CENTER" field:"cronofy.DataCenter" default:"us" placeholder:"NAME"`
	APIURL        string `envconfig:"CRONOFY_API_URL" field:"cronofy.BaseURL" name:"api-url" placeholder:"URL"`
	RatePerSecond string `envconfig:"CRONOFY_RATE_PER_SECOND" field:"cronofy.RatePerSecond" default:"50" kong:"-"`
	RatePerMinute string `envconfig:"CRONOFY_RATE_PER_MINUTE" field:"cronofy.RatePerMinute" default:"500" kong:"-"`
	APITimeout    string `envconfig:"CRONOFY_TIMEOUT" field:"cronofy.Timeout" default:"30s" kong:"-"`

	CallbackSecrets     string `envconfig:"CRONOFY_CALLBACK_SECRETS" kong:"-"`
	CallbackSecretsFile string `envconfig:"CRONOFY_CALLBACK_SECRETS_FILE" kong:"-"`

	SMTPHost string `envconfig:"SMTP_HOST" field:"submission.Host" placeholder:"HOST"`
	SMTPPort string `envconfig:"SMTP_PORT" field:"submission.Port" placeholder:"PORT"`
	SMTPTLS  string `envconfig:"SMTP_TLS" field:"submission.TLS" default:"starttls" name:"smtp-tls" placeholder:"MODE"`

	SMTPPlaintext string `envconfig:"SMTP_ALLOW_PLAINTEXT" field:"submission.AllowPlaintext" default:"false" kong:"-"`
	SMTPCAFile    string `envconfig:"SMTP_TLS_CA_FILE" field:"submission.CAFile" kong:"-"`
	SMTPHELOName  string `envconfig:"SMTP_HELO_NAME" field:"submission.HELOName" kong:"-"`

	SMTPAuth          string `envconfig:"SMTP_AUTH" field:"submission.Auth" default:"auto" kong:"-"`
	SMTPUsername      string `envconfig:"SMTP_USERNAME" field:"submission.Username" kong:"-"`
	SMTPPassword      string `envconfig:"SMTP_PASSWORD" field:"submission.Password" kong:"-"`
	SMTPPasswordFile  string `envconfig:"SMTP_PASSWORD_FILE" kong:"-"`
	SMTPConnections   string `envconfig:"SMTP_CONNECTIONS" field:"submission.Connections" default:"2" kong:"-"`
	SMTPRatePerMinute string `envconfig:"SMTP_RATE_PER_MINUTE" field:"submission.RatePerMinute" kong:"-"`
	SMTPEnvelopeFrom  string `envconfig:"SMTP_ENVELOPE_FROM" field:"mailer.EnvelopeFrom" kong:"-"`

	OrganizerName  string `envconfig:"ORGANIZER_NAME" field:"mailer.Organizer.Name" kong:"-"`
	OrganizerEmail string `envconfig:"ORGANIZER_EMAIL" field:"mailer.Organizer.Email" kong:"-"`

	MailFrom        string `envconfig:"MAIL_FROM" field:"mailer.From" name:"from" placeholder:"ADDRESS"`
	MailReplyTo     string `envconfig:"MAIL_REPLY_TO" field:"mailer.ReplyTo" name:"reply-to" placeholder:"ADDRESS"`
	MailFromDomains guard  `envconfig:"MAIL_FROM_DOMAINS" field:"mailer.FromDomains" kong:"-"`
	MailOnlyTo      guard  `envconfig:"MAIL_ONLY_TO" field:"mailer.OnlyTo" name:"only-to" placeholder:"PATTERNS"`

	Ledger      string `envconfig:"INVITEMAILER_LEDGER" placeholder:"LEDGER"`
	Application string `envconfig:"INVITEMAILER_APPLICATION" field:"sqlite.Application" kong:"-"`
	Templates   string `envconfig:"INVITEMAILER_TEMPLATES" placeholder:"DIR"`
	Locale      string `envconfig:"INVITEMAILER_LOCALE" field:"mailer.Locale" default:"en" placeholder:"TAG"`
	CallbackURL string `envconfig:"INVITEMAILER_CALLBACK_URL" field:"mailer.CallbackURL" placeholder:"URL"`
	Log         string `envconfig:"INVITEMAILER_LOG" default:"text" placeholder:"FORM"`
	LogLevel    string `envconfig:"INVITEMAILER_LOG_LEVEL" default:"info" placeholder:"LEVEL"`

	Listen         string `envconfig:"INVITEMAILER_LISTEN" default:"127.0.0.1:8080" kong:"-"`
	Admin          string `envconfig:"INVITEMAILER_ADMIN" default:"127.0.0.1:8081" kong:"-"`
	AdminToken     string `envconfig:"INVITEMAILER_ADMIN_TOKEN" kong:"-"`
	AdminTokenFile string `envconfig:"INVITEMAILER_ADMIN_TOKEN_FILE" kong:"-"`
}
