package main_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"segue/embedded/postgres"
)

func TestDevKeepsItsStateInPostgreSQL(t *testing.T) {
	t.Parallel()
	database := postgres.ForTest(t)
	dev := startDev(t, "--db", database.URL("segue"))
	require.Equal(t, 0, dev.run(t, "start", `{"id":"kept","channel":"inbound","queue":"sales"}`).code)
	require.Equal(t, 0, dev.run(t, "signal", "place_in_queue", "kept", `{"queue":"sales"}`, "--update").code)
	eventually(t, dev, 1, "list", "--queue", "sales")
	require.Equal(t, 0, dev.interrupt(t))

	again := startDev(t, "--db", database.URL("segue"))
	eventually(t, again, 1, "list", "--queue", "sales", "--state", "queued")
	require.Equal(t, 0, again.run(t, "signal", "abandon", "kept", "--update").code)
	require.Equal(t, 0, again.interrupt(t))

	wrong := segue(t, "dev", "--temporal-port", "0", "--ui-port", "0", "--http-port", "0", "--db", strings.Replace(database.URL("segue"), database.Password(), "hidden-word", 1))
	require.NotEqual(t, 0, wrong.code)
	require.Contains(t, wrong.errs, "password authentication failed")
	require.NotContains(t, wrong.errs, "hidden-word")
}
