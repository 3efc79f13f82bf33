package main

import (
	"cmp"
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/invitemailer/invitemailer/cronofy"
	"github.com/invitemailer/invitemailer/mailer"
	"github.com/invitemailer/invitemailer/mailer/submission"
)

// The library's errors name fields of its configurations. Users have variables and flags for them.

// flagNames are the flags that set a field and have no variable.
var flagNames = map[string]string{
	"mailer.AcceptOrganizer": "--accept-organizer-change",
	"mailer.AllowPast":       "--allow-past",
	"mailer.OnUnknown":       "--on-unknown",
	"mailer.Resend":          "--resend",
	"mailer.RetryFailed":     "--retry-failed",
	"mailer.WithdrawMissing": "--withdraw-missing",
	"record.Format":          "--format",
	"sqlite.APIKeys":         "CRONOFY_API_KEY",
	"sqlite.SameApplication": "--same-application (of send, cancel or serve)",
}

// userNames has the variable or flag of each field, by package and field, and by the field alone
// for texts that name no package.
var userNames = func() map[string]string {
	names := make(map[string]string)
	add := func(field, name string) {
		_, alone, _ := strings.Cut(field, ".")
		names[field], names[alone] = name, cmp.Or(names[alone], name)
	}
	for field := range reflect.TypeFor[settings]().Fields() {
		if f := field.Tag.Get("field"); f != "" {
			add(f, field.Tag.Get("envconfig"))
		}
	}
	for field, name := range flagNames {
		add(field, name)
	}
	return names
}()

// configField is a field in a text of the library, such as Config.Host or submission.Config.Host.
var configField = regexp.MustCompile(`\b(?:([a-z]+)\.)?(?:Config|Options)\.([A-Z]\w*(?:\.[A-Z]\w*)?)`)

// forUsers puts variables and flags into a text of the library. A field without one keeps its name.
func forUsers(text string) string {
	return configField.ReplaceAllStringFunc(text, func(found string) string {
		m := configField.FindStringSubmatch(found)
		return cmp.Or(userNames[m[1]+"."+m[2]], userNames[m[2]], found)
	})
}

// problems collects what is wrong with the settings.
type problems struct{ texts []string }

func (p *problems) add(setting, format string, args ...any) {
	text := setting + ": " + fmt.Sprintf(format, args...)
	if !slices.Contains(p.texts, text) {
		p.texts = append(p.texts, text)
	}
}

// addError adds what a package of the library says of its configuration.
func (p *problems) addError(err error) {
	if err == nil {
		return
	}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		for _, e := range joined.Unwrap() {
			p.addError(e)
		}
		return
	}
	var api *cronofy.ConfigError
	var smtp *submission.ConfigError
	var mail *mailer.ConfigError
	switch {
	case errors.As(err, &api):
		p.addField("cronofy", api.Field, api.Problem)
	case errors.As(err, &smtp):
		p.addField("submission", smtp.Field, smtp.Problem)
	case errors.As(err, &mail):
		p.addField("mailer", mail.Field, mail.Problem)
	default:
		p.texts = append(p.texts, forUsers(err.Error()))
	}
}

func (p *problems) addField(pkg, field, problem string) {
	p.add(cmp.Or(userNames[pkg+"."+field], field), "%s", forUsers(problem))
}
