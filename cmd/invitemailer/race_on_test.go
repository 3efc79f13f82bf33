//go:build race

package main

// raceDetector: this test binary is slow to start.
const raceDetector = true
