package mailer

import (
	"fmt"

	"github.com/invitemailer/invitemailer/mailer/ledger"
	"github.com/invitemailer/invitemailer/mailer/lint"
)

// Lint is how strictly the finished mail is held to the invitation rules of
// package lint before it is submitted.
//
// What was composed wrongly stops the mail whatever Lint says. What came wrong
// in the calendar from the API stops it where clients would show no invitation
// at all; a slightly odd calendar must not stop a company's invitations.
type Lint string

// The levels of Lint. The zero value is LintReport.
const (
	LintReport Lint = "report" // what else came wrong is told on the receipt
	LintStrict Lint = "strict" // every error stops the mail
	LintOff    Lint = "off"    // what else came wrong is not told
)

// check holds the bytes that are about to be submitted to the invitation rules.
func (w *work) check(i int, sub *ledger.Submission) *Error {
	o := lint.Options{Now: w.m.cfg.Now(), Profile: lint.Own, SMTPUTF8: sub.Message.SMTPUTF8}
	if before := w.entries[i].LastSent; before != nil && before.Method == Request && w.steps[i].resend == 0 {
		if previous, err := lint.ReadPrevious(before.Calendar); err == nil {
			o.Previous = previous
		}
	}
	var stop *Error
	for _, f := range lint.Check(sub.Message.Bytes, o) {
		ours := f.Origin == lint.Composed
		if w.m.cfg.Lint != LintOff || ours || f.Fatal {
			w.receipts[i].Findings = addOnce(w.receipts[i].Findings, Finding{
				Rule: f.Rule, Level: Level(f.Level), Field: f.Where, Message: f.What + "; " + f.Fix})
		}
		if stop != nil || f.Level != lint.Error {
			continue
		}
		switch {
		case ours:
			stop = &Error{Stage: StageCheck, Code: CodeComposedWrong, Field: f.Where,
				Message: fmt.Sprintf("the mail breaks rule %s and was not sent: %s; %s", f.Rule, f.What, f.Fix)}
		case f.Fatal || w.m.cfg.Lint == LintStrict:
			stop = &Error{Stage: StageCheck, Code: CodeCalendarWrong, Field: f.Where, unusable: true,
				Message: fmt.Sprintf("the calendar from the API breaks rule %s and was not sent: %s; %s", f.Rule, f.What, f.Fix)}
		}
	}
	return stop
}
