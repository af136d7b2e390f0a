package his_test

import (
	"bufio"
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// stories are the commands of interactions of agents, by revision, as an operator reads them.
type stories struct {
	mu   sync.Mutex
	told map[string]map[int64]string
}

func listen(t *testing.T, agents ...string) *stories {
	t.Helper()
	s := &stories{told: map[string]map[int64]string{}}
	ctx, cancel := context.WithCancel(context.Background())
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/v1/events?agent="+strings.Join(agents, "&agent="), nil)
	require.NoError(t, err)
	response, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, response.StatusCode)
	var reading sync.WaitGroup
	reading.Go(func() {
		defer response.Body.Close()
		for lines := bufio.NewScanner(response.Body); lines.Scan(); {
			data, isData := strings.CutPrefix(lines.Text(), "data: ")
			var event struct {
				Interaction, Command string
				Revision             int64
			}
			if isData && json.Unmarshal([]byte(data), &event) == nil && event.Interaction != "" {
				s.tell(event.Interaction, event.Revision, event.Command)
			}
		}
	})
	t.Cleanup(func() {
		cancel()
		reading.Wait()
	})
	return s
}

func (s *stories) tell(id string, revision int64, command string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.told[id] == nil {
		s.told[id] = map[int64]string{}
	}
	s.told[id][revision] = command
}

// until returns the commands of an interaction in order, once the command of a revision has come.
func (s *stories) until(t *testing.T, id string, revision int64) (commands []string) {
	t.Helper()
	require.Eventually(t, func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		_, isTold := s.told[id][revision]
		return isTold
	}, patience, pollEvery)
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, n := range slices.Sorted(maps.Keys(s.told[id])) {
		commands = append(commands, s.told[id][n])
	}
	return commands
}

func (s *stories) interactions() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Sorted(maps.Keys(s.told))
}
