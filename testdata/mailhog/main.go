// Command mailhog is a MailHog for tests: MailHog's own SMTP protocol, message
// parser and in-memory storage, behind the part of its HTTP API that tests need.
//
// It prints where it listens, one line each, and then serves:
//
//	smtp=127.0.0.1:34567
//	api=http://127.0.0.1:34568
//
// It ends when its standard input does, so that it cannot outlive the test that
// started it, and on SIGINT and SIGTERM.
//
// It is a module of its own: MailHog's modules, and the MongoDB driver that comes
// with them, stay out of the module graph of invitemailer.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/mailhog/data"
	"github.com/mailhog/storage"
)

func main() {
	smtpAddr := flag.String("smtp-addr", "127.0.0.1:0", "`address` that SMTP listens on")
	apiAddr := flag.String("api-addr", "127.0.0.1:0", "`address` that the HTTP API listens on")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin) // however it ends, the starter is gone
		stop()
	}()

	// The parser prints every message it reads unless it is given another handler.
	data.LogHandler = func(string, ...any) {}

	if err := run(ctx, os.Stdout, *smtpAddr, *apiAddr); err != nil {
		fmt.Fprintln(os.Stderr, "mailhog:", err)
		os.Exit(1)
	}
}

// run listens on both addresses, writes them to out and serves until ctx is done or a server fails.
func run(ctx context.Context, out io.Writer, smtpAddr, apiAddr string) error {
	var listen net.ListenConfig
	smtpListener, err := listen.Listen(ctx, "tcp", smtpAddr)
	if err != nil {
		return fmt.Errorf("listen for SMTP: %w; choose another -smtp-addr", err)
	}
	defer func() { _ = smtpListener.Close() }()
	apiListener, err := listen.Listen(ctx, "tcp", apiAddr)
	if err != nil {
		return fmt.Errorf("listen for HTTP: %w; choose another -api-addr", err)
	}
	defer func() { _ = apiListener.Close() }()

	if _, err := fmt.Fprintf(out, "smtp=%s\napi=http://%s\n", smtpListener.Addr(), apiListener.Addr()); err != nil {
		return fmt.Errorf("print the addresses: %w", err)
	}

	messages := &mailbox{memory: storage.CreateInMemory()}
	failed := make(chan error, 2)
	go func() { failed <- serveSMTP(smtpListener, messages) }()
	go func() {
		server := &http.Server{Handler: newAPI(messages), ReadHeaderTimeout: time.Minute}
		failed <- server.Serve(apiListener)
	}()

	select {
	case <-ctx.Done():
		return nil
	case err := <-failed:
		return err
	}
}
