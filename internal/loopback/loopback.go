// Package loopback tells whether something stays on this machine.
package loopback

import (
	"context"
	"errors"
	"net"
	"strings"
	"syscall"
)

// ErrElsewhere says that a connection would have left this machine.
var ErrElsewhere = errors.New("the address is not on this machine")

// Host reports whether a host, with or without a port, is this machine alone. No name but localhost is looked up.
func Host(hostport string) bool {
	host, _, err := net.SplitHostPort(hostport)
	if err != nil {
		host = strings.Trim(hostport, "[]")
	}
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

// Control is the ControlContext of a [net.Dialer] that reaches this machine alone. It sees the
// address that is dialled: what a name stands for is up to the server that answers for it.
func Control(_ context.Context, _, address string, _ syscall.RawConn) error {
	if !Host(address) {
		return ErrElsewhere
	}
	return nil
}
