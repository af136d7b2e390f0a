package postgres

import (
	"errors"
	"os"
	"testing"
)

// ForTest starts a PostgreSQL that ends with the test. If PostgreSQL is not installed, it skips the test, or fails it with
// CI=true.
func ForTest(t testing.TB, settings ...string) *Server {
	t.Helper()
	server, err := Start(t.Context(), settings...)
	if errors.Is(err, ErrNotInstalled) && os.Getenv("CI") != "true" {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Stop(); err != nil {
			t.Error(err)
		}
	})
	return server
}
