// Postfix starts one of its own on loopback, to try the command against: with STARTTLS, a login,
// and everything taken handed on to another mail server, such as the one of invitemailer sandbox.
// It prints the settings to use, and ends with its standard input.
//
//	go run . 127.0.0.1:2525
//
// It needs root, and Debian's packages postfix, sasl2-bin and libsasl2-modules. The tests beside it
// run the command against such servers that refuse, wait, or forget a login.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
)

func main() {
	if err := run(context.Background(), os.Args[1:], os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "postfix:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, stdin io.Reader, stdout io.Writer) (err error) {
	if len(args) != 1 {
		return errors.New("usage: go run . HOST:PORT-OF-THE-NEXT-SERVER")
	}
	dir, err := openDir()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	s, err := start(ctx, dir, options{next: args[0]})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	_, err = fmt.Fprintf(stdout, "SMTP_HOST=localhost\nSMTP_PORT=%d\nSMTP_TLS_CA_FILE=%s\n"+
		"SMTP_USERNAME=%s\nSMTP_PASSWORD=%s\n", s.port, s.caFile, username, password)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, stdin)
	return err
}

// openDir makes a directory that every user of this machine may read.
func openDir() (string, error) {
	dir, err := os.MkdirTemp("", "postfix-")
	if err != nil {
		return "", err
	}
	return dir, os.Chmod(dir, 0o755)
}
