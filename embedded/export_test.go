package embedded

import "path/filepath"

// Newest is what a binary far from its sources falls back to; a test in the checkout cannot get there otherwise.
var Newest = newest

// BuiltFrom makes this binary one that was built from another checkout, until the function that it returns is called.
func BuiltFrom(checkout string) (restore func()) {
	before := sourceFile
	sourceFile = filepath.Join(checkout, "embedded", "checkout.go")
	return func() { sourceFile = before }
}
