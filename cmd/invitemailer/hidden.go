package main

import (
	"fmt"
	"io"
)

// What holds secrets is never printed as it is, not even while somebody looks for a fault.

// Format implements fmt.Formatter.
func (settings) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "settings{hidden}") }

// Format implements fmt.Formatter. The secrets are in fields whose own ways of printing package fmt does not use.
func (configuration) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "configuration{hidden}") }

// Format implements fmt.Formatter.
func (serving) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "serving{hidden}") }
