package main

import (
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestLoad: a flag goes before the environment, that before the default, and an
// empty value is none.
func TestLoad(t *testing.T) {
	t.Setenv("CRONOFY_DATA_CENTER", "de")
	t.Setenv("SMTP_HOST", "smtp.example.com")
	t.Setenv("SMTP_TLS", "")
	t.Setenv("INVITEMAILER_LOG", "json")
	s, err := load(settings{SMTPHost: "other.example.com", Log: ""})
	require.NoError(t, err)
	assert.Equal(t, "de", s.DataCenter)
	assert.Equal(t, "other.example.com", s.SMTPHost)
	assert.Equal(t, "starttls", s.SMTPTLS)
	assert.Equal(t, "json", s.Log)
}

// TestMisspelt: what looks like a setting and is none is named, and its value
// never.
func TestMisspelt(t *testing.T) {
	t.Parallel()
	got := misspelt([]string{
		"SMTP_PASWORD=hunter2", "CRONOFY_APIKEY=hunter2", "ORGANISER_EMAIL=hunter2", "ORGANIZER_MAIL=hunter2",
		"INVITEMAILER_TEMPLATE_FOLDER=hunter2", "MAIL_FORM=hunter2",
		"SMTP_HOST=x", "CRONOFY_API_KEY=x", "MAIL=/var/mail/jane", "MAILHOG_SMTP=x", "PATH=/bin", "=C:=C:\\", "",
	})
	assert.Equal(t, []string{
		"the environment variable CRONOFY_APIKEY is not known; did you mean CRONOFY_API_KEY?",
		"the environment variable INVITEMAILER_TEMPLATE_FOLDER is not known and does nothing; see invitemailer --help",
		"the environment variable MAIL_FORM is not known; did you mean MAIL_FROM?",
		"the environment variable ORGANIZER_MAIL is not known; did you mean ORGANIZER_EMAIL?",
		"the environment variable SMTP_PASWORD is not known; did you mean SMTP_PASSWORD?",
	}, got)
	assert.NotContains(t, strings.Join(got, ""), "hunter2")
}

// TestGuards: each setting of the type guard is known as one.
func TestGuards(t *testing.T) {
	t.Parallel()
	var want []string
	for field := range reflect.TypeFor[settings]().Fields() {
		if field.Type == reflect.TypeFor[guard]() {
			want = append(want, field.Tag.Get("envconfig"))
		}
	}
	assert.Equal(t, want, guards)
}
