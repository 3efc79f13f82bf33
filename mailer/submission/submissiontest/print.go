package submissiontest

import (
	"fmt"
	"io"
)

// Format implements fmt.Formatter, for all verbs: no login is printed.
func (o Options) Format(f fmt.State, _ rune) {
	_, _ = fmt.Fprintf(f, "submissiontest.Options{login: %t, SMTPUTF8: %t}", o.Username != "", o.SMTPUTF8)
}

// Format implements fmt.Formatter, for all verbs.
func (i *Inbox) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "submissiontest.Inbox") }
