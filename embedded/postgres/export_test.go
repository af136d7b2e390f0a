package postgres

import "testing"

// NotInstalled makes PostgreSQL appear to be missing until the test ends.
func NotInstalled(t *testing.T) {
	kept := places
	places = nil
	t.Cleanup(func() { places = kept })
	t.Setenv("PATH", t.TempDir())
}
