package sandbox

import (
	"fmt"
	"io"
)

// Format implements fmt.Formatter, for all verbs: no key is printed.
func (o Options) Format(f fmt.State, _ rune) {
	_, _ = fmt.Fprintf(f, "sandbox.Options{APIAddr: %q, SMTPAddr: %q, Dir: %q, APIKey: %t}", o.APIAddr, o.SMTPAddr, o.Dir, o.APIKey != "")
}

// Format implements fmt.Formatter, for all verbs.
func (s *Sandbox) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "sandbox.Sandbox") }
