// Package smtptest has SMTP servers for the tests of this module, and the parts that
// submissiontest is made of: a [Server] that misbehaves where it is told to, a [Sink] that
// takes mail as fast as it comes, and a [Path] that makes the way to a server longer.
//
// A [Listener] takes connections of the network, and such as are made in memory, which
// testing/synctest needs.
package smtptest
