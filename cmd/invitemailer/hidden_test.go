package main

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/invitemailer/invitemailer/cronofy"
	"github.com/invitemailer/invitemailer/mailer/submission"
)

// TestNoSecretIsPrinted: nothing that holds a secret shows it to who prints it.
func TestNoSecretIsPrinted(t *testing.T) {
	t.Parallel()
	const secret = "hunter2-hunter2"
	s := settings{APIKey: secret, SMTPPassword: secret, AdminToken: secret, CallbackSecrets: secret}
	c := configuration{api: cronofy.Config{APIKey: secret}, smtp: submission.Config{Password: secret}}
	for _, value := range []any{s, &s, c, &c, serving{secrets: []string{secret}, token: secret}, cli{settings: s}, &cli{settings: s}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
			assert.NotContains(t, fmt.Sprintf(verb, value), secret)
			assert.NotContains(t, fmt.Sprintf(verb, value), fmt.Sprintf("%x", secret))
		}
	}
}
