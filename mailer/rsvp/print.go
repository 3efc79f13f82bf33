package rsvp

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
)

// String shows how much is set, and no secret.
func (c Config) String() string {
	return fmt.Sprintf("rsvp.Config{Secrets: %d, Store: %T, OnChange: %t, MaxBody: %d}", len(c.Secrets), c.Store, c.OnChange != nil, c.MaxBody)
}

// Format keeps the secrets out of every verb of package fmt.
func (c Config) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, c.String()) }

// LogValue keeps the secrets out of logs.
func (c Config) LogValue() slog.Value { return slog.StringValue(c.String()) }

// MarshalJSON keeps the secrets out of JSON.
func (c Config) MarshalJSON() ([]byte, error) { return json.Marshal(c.String()) }
