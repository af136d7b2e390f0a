package replicas_test

import (
	"testing"

	"segue/embedded/postgres"
)

// The core of these tests with a Temporal on PostgreSQL, as in production.
func TestOnPostgreSQL(t *testing.T) {
	parallel(t)
	database := postgres.ForTest(t)
	t.Run("read your writes", func(t *testing.T) {
		readsItsWrites(t, ownTemporal(t, database.URL("writes"), 0), reduced(30, 1000))
	})
	t.Run("killed gateways", func(t *testing.T) {
		gatewaysAreKilled(t, ownTemporal(t, database.URL("kills"), 0), reduced(2, 30))
	})
	t.Run("Temporal away", func(t *testing.T) {
		if !*full {
			t.Skip("takes most of a minute")
		}
		temporalIsAway(t, database.URL("away"))
	})
}
