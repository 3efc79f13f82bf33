package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// The time for retries bounds how long a connection may take, too, and leaves a
// mail server the time to greet.
func TestConnectTimeout(t *testing.T) {
	t.Parallel()
	for retryFor, want := range map[time.Duration]time.Duration{
		0: 15 * time.Second, time.Second: 15 * time.Second, 20 * time.Second: 20 * time.Second,
		2 * time.Minute: 2 * time.Minute, time.Hour: time.Hour,
	} {
		f, c := runFlags{RetryFor: retryFor}, &configuration{}
		f.apply(c)
		assert.Equal(t, want, c.smtp.OpenTimeout)
	}
}
