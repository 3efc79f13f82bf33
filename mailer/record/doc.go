// Package record reads invites that are written down, as JSON, JSON Lines or
// CSV, into values for mailer.SendAll.
package record
