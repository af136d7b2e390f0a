package engagement_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"segue/e2e/cut"
)

// TestThePageWasAway has a visitor whose connection is lost while an invitation is open, and comes back at another
// replica: the page shows what is true by then.
func TestThePageWasAway(t *testing.T) {
	another, stop, err := startGateway()
	require.NoError(t, err)
	defer func() { require.NoError(t, stop()) }()
	b := startBrowser(t)
	for name, transport := range transports {
		for what, happens := range map[string]struct {
			does func(visit string)
			says string
		}{
			"withdrawn": {func(visit string) {
				status, answer := post(t, "/server/data/gateway/noengage", fmt.Sprintf(`{"visitID":%q}`, visit))
				require.Equal(t, 200, status, answer)
			}, over},
			"open": {func(string) {}, shown},
		} {
			visit := unique("away-" + name + "-" + what)
			network := cut.Before(t, url)
			b.openAt(network.URL(), visit, transport)
			b.sees("Welcome.")
			engageVisit(t, visit, "a")
			b.sees(shown)
			network.Away()
			happens.does(visit)
			require.True(t, b.isInvited(), "the page cannot know")
			b.evaluate(`new MutationObserver(() => window.changed = true).observe(document.getElementById("status"), {childList: true})`)
			network.Lead(another)
			network.Back()
			for begun := time.Now(); b.evaluate(`window.changed`) != true; time.Sleep(pollEvery) {
				require.Less(t, time.Since(begun), patience, visit)
			}
			b.sees(happens.says)
			require.Equal(t, happens.says == shown, b.isInvited())
		}
	}
}

// TestThePageIsLeftAndShownAgain has a visitor who goes on to other pages, which share the few connections of a browser,
// and back to the first: it has no connection meanwhile, and no invitation that is over.
func TestThePageIsLeftAndShownAgain(t *testing.T) {
	b := startBrowser(t)
	visit := unique("back")
	b.invite(visit)
	for range 7 {
		b.visit(unique("elsewhere"), "")
	}
	status, answer := post(t, "/server/data/gateway/noengage", fmt.Sprintf(`{"visitID":%q}`, visit))
	require.Equal(t, 200, status, answer)
	b.evaluate(`history.go(-7)`)
	for begun := time.Now(); b.evaluate(fmt.Sprintf(`location.search.includes("visit=%s")`, visit)) != true; time.Sleep(pollEvery) {
		require.Less(t, time.Since(begun), patience)
	}
	b.sees("Welcome.")
	require.False(t, b.isInvited())
	engageVisit(t, visit, "again")
	b.sees(shown)
	b.click("accept")
	b.sees(chatting)
}
