package mailer

import (
	"fmt"

	"github.com/invitemailer/invitemailer/mailer/ledger"
	"github.com/invitemailer/invitemailer/mailer/lint"
)

// Lint is how strictly the finished mail is held to the invitation rules of package lint.
//
// What was composed wrongly stops the mail whatever Lint says. What came wrong in the calendar from
// the API stops it where clients would show no invitation at all; a slightly odd calendar must not
// stop a company's invitations.
type Lint string

// The levels of Lint. The zero value is LintReport.
const (
	LintReport Lint = "report" // what else came wrong is told on the receipt
	LintStrict Lint = "strict" // every error stops the mail
	LintOff    Lint = "off"    // what else came wrong is not told
)

func (j *job) check(to *recipient, sub *ledger.Submission) *Error {
	o := lint.Options{Now: j.m.cfg.Now(), Profile: lint.Own, SMTPUTF8: sub.Message.SMTPUTF8}
	if invited(to.entry) && to.plan.resend == 0 {
		if previous, err := lint.ReadPrevious(to.entry.LastSent.Calendar); err == nil {
			o.Previous = previous
		}
	}
	var stop *Error
	for _, f := range lint.Check(sub.Message.Bytes, o) {
		ours := f.Origin == lint.Composed
		if j.m.cfg.Lint != LintOff || ours || f.Fatal {
			to.receipt.addFinding(Finding{Rule: f.Rule, Level: f.Level, Field: f.Where, Message: f.What + "; " + f.Fix})
		}
		if stop != nil || f.Level != lint.Error || !ours && !f.Fatal && j.m.cfg.Lint != LintStrict {
			continue
		}
		code, broken := codeCalendarWrong, "the calendar from the API"
		if ours {
			code, broken = codeComposedWrong, "the mail"
		}
		stop = &Error{Stage: StageCheck, Code: code, Field: f.Where, unusable: !ours,
			Message: fmt.Sprintf("%s breaks rule %s and was not sent: %s; %s", broken, f.Rule, f.What, f.Fix)}
	}
	return stop
}
