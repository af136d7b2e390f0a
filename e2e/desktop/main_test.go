package desktop_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"segue/config"
	"segue/e2e/bayeux/clients"
	"segue/e2e/stack"
	"segue/gateway"
	"segue/worker/local"
)

const (
	patience  = time.Minute
	pollEvery = 20 * time.Millisecond
)

// The stack of all tests, its configuration, and the URLs of its two gateways. Tests have agents and interactions of their own.
var (
	segue    *stack.Stack
	store    *config.Store
	replicas [2]string
)

const (
	passwordName = "SEGUE_TESTS_PASSWORD"
	password     = "a password of the tests, which seals sessions too"
	platformKey  = "a-key-of-the-tests"
	agentLimit   = 100
)

func TestMain(m *testing.M) { stack.Main(m, stack.Options{}, prepare) }

func prepare(s *stack.Stack) (err error) {
	segue = s
	s.AtEnd(clients.Remove)
	if err := os.Setenv(passwordName, password); err != nil {
		return err
	}
	if store, err = s.Configure(configuration()); err != nil {
		return err
	}
	if _, err := s.StartWorker(local.WorkerOptions{Config: store}); err != nil {
		return err
	}
	for i := range replicas {
		g, err := s.StartGateway(gateway.Options{Config: store})
		if err != nil {
			return err
		}
		replicas[i] = g.URL
	}
	return nil
}

// configuration has the platform and as many agents as the tests need.
func configuration() string {
	var text strings.Builder
	fmt.Fprintf(&text, `
timeouts: {default: {offer: 0s, queue: 0s, wrap_up: 24h, engagement: 0s, late_events: 1h}}
gateway:
  session_keys: [env:%[2]s]
  gws: {csrf: required}
  auth:
    api_keys:
%[1]s    users:
`, stack.APIKey("switch", platformKey, "role: platform, contact_centers: [acme], rate: 100000"), passwordName)
	for n := range agentLimit {
		fmt.Fprintf(&text, "      - {name: %[1]s, password: env:%[2]s, role: agent, agent: %[1]s, contact_centers: [acme]}\n", agentName(n), passwordName)
	}
	return text.String()
}

func agentName(n int) string { return fmt.Sprintf("agent-%d", n) }
