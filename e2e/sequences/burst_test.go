package sequences_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"
)

// burstCommand is one command of a burst.
type burstCommand struct {
	name, payload string
	isUpdate      bool
	delay         time.Duration
}

// burst sends several numbered commands at once, in disorder, as signals and as updates, of which some wait for the
// numbers before them. Beside them it sends updates without a number, most of which are rejected: so signals release
// waiting updates in tasks in which others are rejected.
func (s *sequence) burst() error {
	var batch []burstCommand
	draw := s.draw
	if s.random.IntN(2) == 0 { // without events, the workflow continues without a Dispatch
		draw = func() string { return eventless[s.random.IntN(len(eventless))] }
	}
	numbered := 2 + s.random.IntN(3)
	for _, i := range s.random.Perm(numbered) {
		batch = append(batch, s.burstCommand(draw(), s.number+int64(i)+1))
	}
	s.number += int64(numbered)
	for range 1 + s.random.IntN(2) {
		one := s.burstCommand(draw(), 0)
		one.isUpdate = true
		batch = append(batch, one)
	}
	failures := make([]error, len(batch))
	var inFlight sync.WaitGroup
	for i, one := range batch {
		if one.isUpdate {
			s.updates++
		} else {
			s.signals++
		}
		inFlight.Go(func() {
			time.Sleep(one.delay)
			failures[i] = s.send(one)
		})
	}
	inFlight.Wait()
	return errors.Join(failures...)
}

// eventless are commands that cause no event, most of them refused.
var eventless = []string{"retrieve", "hold", "teleport", `signal_removed {"name":"none"}`}

// burstCommand returns a command of a burst; number is its source_sequence, 0 for none.
func (s *sequence) burstCommand(line string, number int64) burstCommand {
	name, payload, _ := strings.Cut(line, " ")
	fields := strings.TrimSuffix(strings.TrimPrefix(payload, "{"), "}")
	if number > 0 {
		if fields != "" {
			fields += ","
		}
		fields += fmt.Sprintf(`"source_sequence":%d`, number)
	}
	return burstCommand{name: name, payload: "{" + fields + "}", isUpdate: s.random.IntN(2) == 0, delay: time.Duration(s.random.Int64N(int64(20 * time.Millisecond)))}
}

func (s *sequence) send(one burstCommand) error {
	var err error
	if one.isUpdate {
		s.note("burst: update %s %s", one.name, one.payload)
		err = s.update(one.name, one.payload)
	} else {
		s.note("burst: signal %s %s", one.name, one.payload)
		err = s.client.Signal(s.ctx, s.name, one.name, json.RawMessage(one.payload))
	}
	if err != nil {
		return fmt.Errorf("%s %s: %w", one.name, one.payload, err)
	}
	return nil
}
