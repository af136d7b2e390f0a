package main

import (
	"testing"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
)

func TestInvalidOptionsAreRefused(t *testing.T) {
	for want, args := range map[string][]string{
		"not a loopback address":    {"--ip", "0.0.0.0"},
		"--port 70000: use 1 to":    {"--port", "70000"},
		"--ui-port -2: use 1 to":    {"--ui-port", "-2"},
		"are both 7233":             {"--ui-port", "7233"},
		"--namespace is empty":      {"--namespace", ""},
		"unexpected argument":       {"serve"},
		"use Name=Type":             {"--search-attribute", "Tier"},
		"is not a type of search":   {"--search-attribute", "Tier=Colour"},
		"the types Keyword and Int": {"--search-attribute", "Tier=Keyword", "--search-attribute", "Tier=Int"},
		"log-level":                 {"--log-level", "loud"},
		"must have 1 to 52":         {"--db", "postgres://user:hidden-word@localhost:5432/"},
		"is not a PostgreSQL URL":   {"--db", "postgres://user:hidden-word@localhost:5432/segue?sslmode=perhaps"},
		"is not a valid URL":        {"--db", "postgres://user:hidden-word@[::1/segue"},
	} {
		_, err := parseOptions(args)
		require.ErrorContains(t, err, want)
		require.NotContains(t, err.Error(), "hidden-word")
	}
}

func TestSearchAttributeFlagsAreCombined(t *testing.T) {
	o, err := parseOptions([]string{"--search-attribute", "Tier=Keyword", "--search-attribute", "Parked=Int"})
	require.NoError(t, err)
	require.Equal(t, searchAttributes{
		"Tier": enumspb.INDEXED_VALUE_TYPE_KEYWORD, "Parked": enumspb.INDEXED_VALUE_TYPE_INT,
	}, o.searchAttributes)
	require.Equal(t, "127.0.0.1", o.ip)
	require.Equal(t, "default", o.namespace)
}

func TestFreePortsAreNotReturnedTwice(t *testing.T) {
	given := map[int]bool{}
	for range 200 {
		port, err := freePort("127.0.0.1")
		require.NoError(t, err)
		require.False(t, given[port], "port %d was returned before and may be in use soon", port)
		given[port] = true

		again, err := choosePort("127.0.0.1", "--port", port)
		require.NoError(t, err, "a server can listen on the port")
		require.Equal(t, port, again)
	}
}
