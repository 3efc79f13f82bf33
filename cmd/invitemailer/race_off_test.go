//go:build !race

package main

// raceDetector: this test binary is as quick as the command.
const raceDetector = false
