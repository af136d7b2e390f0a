package main_test

import (
	"fmt"
	"net/http"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// brokenConfigFor returns a configuration with a call that cannot be rendered and one that its receiver refuses.
func brokenConfigFor(t *testing.T, receiver, tier, kind string) string {
	return fileOf(t, "segue.yaml", fmt.Sprintf(`
calls:
  - {name: crm, method: POST, url: "%[1]s/crm", missing: park, json: {id: "${interaction.id}", tier: "${user_data.%[2]s}"}}
  - {name: bi, method: POST, url: "%[1]s/bi", json: {kind: %[3]s}}
triggers:
  - {when: interaction_starts, call: crm}
  - {when: interaction_starts, call: bi}
guard: {allow: ["127.0.0.0/8"]}
`, receiver, tier, kind))
}

// After the configuration is fixed, parked deliveries are rendered again and keep their ids, even after the interaction has
// ended.
func TestRerenderUsesTheFixedConfiguration(t *testing.T) {
	t.Parallel()
	receiver, url := newLedger(t, http.StatusBadRequest)
	database := filepath.Join(t.TempDir(), "segue.db")
	dev := startDev(t, "--db", database, "--config", brokenConfigFor(t, url, "teir", "cal"))
	require.Equal(t, 0, dev.run(t, "start", `{"id":"c1","channel":"inbound","user_data":{"tier":"gold"}}`).code)
	require.Equal(t, 0, dev.run(t, "signal", "abandon", "c1").code)
	eventually(t, dev, 2, "deliveries", "--parked")
	require.Eventually(t, func() bool { return dev.isOver(t, "interaction/default/c1") }, time.Minute, 50*time.Millisecond)
	var refused []shownDelivery
	dev.into(t, &refused, "deliveries", "--class", "http_4xx")
	require.Len(t, refused, 1)
	var unrendered []shownDelivery
	dev.into(t, &unrendered, "deliveries", "--class", "render")
	require.Len(t, unrendered, 1)
	require.Equal(t, 0, dev.interrupt(t))

	receiver.answer(http.StatusOK)
	fixed := startDev(t, "--db", database, "--config", brokenConfigFor(t, url, "tier", "call"))
	require.Equal(t, bulkResult{Matched: 2, Sent: 2}, fixed.bulk(t, "redeliver", "--rerender"))
	for _, call := range []string{"crm", "bi"} {
		require.Eventually(t, func() bool { return fixed.isOver(t, "delivery/default/c1/"+call) }, time.Minute, 50*time.Millisecond)
	}
	require.ElementsMatch(t, []received{
		{refused[0].ID, refused[0].ID, `{"kind":"cal"}`},
		{refused[0].ID, refused[0].ID, `{"kind":"call"}`},
		{unrendered[0].ID, unrendered[0].ID, `{"id":"c1","tier":"gold"}`},
	}, receiver.requests())
	require.Equal(t, 0, fixed.interrupt(t))
}
