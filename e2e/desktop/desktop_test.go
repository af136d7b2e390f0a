package desktop_test

import "testing"

// TestDesktops plays everything, while some agents are away for the minute that a session lives.
func TestDesktops(t *testing.T) {
	var away *absence
	if !testing.Short() {
		away = goAway(t)
	}
	t.Run("meanwhile", func(t *testing.T) {
		t.Run("a session of an agent", aSessionOfAnAgent)
		t.Run("agents together", agentsTogether)
		t.Run("connections break", connectionsBreak)
		t.Run("the gateway starts again", theGatewayStartsAgain)
	})
	if away != nil {
		away.comeBack(t)
	}
}
