package postgres

import "testing"

// NotInstalled makes PostgreSQL missing for the rest of the test.
func NotInstalled(t *testing.T) {
	kept := places
	places = nil
	t.Cleanup(func() { places = kept })
	t.Setenv("PATH", t.TempDir())
}
