//go:build !race

package imip_test

// instrumented says that the race detector is at work; times mean nothing then.
const instrumented = false
