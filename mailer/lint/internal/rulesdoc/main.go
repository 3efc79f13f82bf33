// Command rulesdoc writes RULES.md, the table of the invitation rules, into the current directory.
package main

import (
	"fmt"
	"os"

	"github.com/invitemailer/invitemailer/mailer/lint"
)

func main() {
	if err := os.WriteFile("RULES.md", []byte(lint.Markdown()), 0o644); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
