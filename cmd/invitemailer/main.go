// Command invitemailer sends calendar invitations by mail: it creates a Smart Invite at Cronofy for
// each record of its input, composes the mail that calendar programs understand, and submits it
// over SMTP.
//
//	invitemailer send --sandbox invites.jsonl
//
// Package mailer does the work. Results go to standard output, one line for each invite, and
// everything for people to standard error. See invitemailer --help for the whole configuration.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	os.Exit(run())
}

// run is the command as the operating system sees it.
func run() int {
	// A reader of the results that goes away is an error of writing, which stops the run softly.
	signal.Ignore(syscall.SIGPIPE)
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	m := Main{
		Args: os.Args[1:], Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr,
		Signals: signals, Exit: os.Exit,
	}
	return m.Run(context.Background())
}
