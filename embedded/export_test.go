package embedded

import (
	"path/filepath"
	"time"
)

// Newest is what a binary without its sources falls back to; a test in the checkout cannot reach it otherwise.
var Newest = newest

// BuiltFrom makes this binary appear to be built from another checkout, until the returned function is called.
func BuiltFrom(checkout string) (restore func()) {
	before := sourceFile
	sourceFile = filepath.Join(checkout, "embedded", "checkout.go")
	return func() { sourceFile = before }
}

// ReportedEvery sets how often the progress of a build is reported, until the returned function is called.
func ReportedEvery(pause time.Duration) (restore func()) {
	before := reportEvery
	reportEvery = pause
	return func() { reportEvery = before }
}
