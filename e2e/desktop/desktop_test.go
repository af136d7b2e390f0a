package desktop_test

import (
	"os"
	"testing"
)

// TestDesktops plays everything; with SEGUE_WHOLE=1 while some agents are away for the minute that a session lives.
func TestDesktops(t *testing.T) {
	var away *absence
	if os.Getenv("SEGUE_WHOLE") != "" {
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
