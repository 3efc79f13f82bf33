//go:build race

package imip_test

// instrumented: the race detector makes each access to memory slow, and so the check, which reads, slower than composing, which calls.
const instrumented = true
