// Package submission hands finished messages to an SMTP server (message
// submission, RFC 6409) and says exactly how each one ended.
package submission
