package loopback

import (
	"net"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestHost(t *testing.T) {
	t.Parallel()
	for host, want := range map[string]bool{
		"localhost": true, "LOCALHOST:80": true, "127.0.0.1": true, "127.9.9.9:1": true, "[::1]:80": true,
		"::1": true, "[::1]": true,
		"": false, "example.com": false, "localhost.example.com": false, "x.localhost": false,
		"192.0.2.1:80": false, "0.0.0.0": false, "[::]:80": false,
	} {
		assert.Equal(t, want, Host(host), host)
	}
}

func TestControl(t *testing.T) {
	t.Parallel()
	d := net.Dialer{ControlContext: Control}
	_, err := d.DialContext(t.Context(), "tcp", "192.0.2.1:80")
	require.ErrorIs(t, err, ErrElsewhere)
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = l.Close() })
	c, err := d.DialContext(t.Context(), "tcp", l.Addr().String())
	require.NoError(t, err)
	require.NoError(t, c.Close())
}
