package rsvp

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestNoSecretIsPrinted: whoever prints or logs what he was given shows no secret.
func TestNoSecretIsPrinted(t *testing.T) {
	t.Parallel()
	c := Config{Secrets: []string{secret, "the-old-one"}, Store: inMemory(t)}
	h, err := NewHandler(c)
	require.NoError(t, err)
	var text bytes.Buffer
	for _, value := range []any{c, &c, []Config{c}, map[string]any{"c": c}, struct{ C Config }{c}, h} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			fmt.Fprintf(&text, verb+"\n", value)
		}
		slog.New(slog.NewTextHandler(&text, nil)).Info("m", "v", value)
		slog.New(slog.NewJSONHandler(&text, nil)).Info("m", "v", value)
		if encoded, err := json.Marshal(value); err == nil {
			text.Write(encoded)
		}
	}
	for _, s := range c.Secrets {
		assert.NotContains(t, text.String(), s)
		assert.NotContains(t, text.String(), fmt.Sprintf("%x", s))
	}
	assert.Contains(t, fmt.Sprint(c), "Secrets: 2")
}
