package cronofytest

import (
	"fmt"
	"io"
)

// A key of the simulator may be that of a real application, so that callbacks are
// signed alike. None is printed.

// Format implements fmt.Formatter, for all verbs.
func (o Options) Format(f fmt.State, _ rune) {
	_, _ = fmt.Fprintf(f, "cronofytest.Options{APIKey: %t, CallbackSecret: %t, Latency: %s}", o.APIKey != "", o.CallbackSecret != "", o.Latency)
}

// Format implements fmt.Formatter, for all verbs.
func (s *Server) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "cronofytest.Server") }
