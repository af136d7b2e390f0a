package sequences_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"
)

// shot is one command of a volley.
type shot struct {
	name, payload string
	isUpdate      bool
	delay         time.Duration
}

// volley sends several numbered commands at once, in disorder, as signals and as updates,
// which wait for their turn, and beside them updates without a number, most of which are
// refused: so signals release waiting updates in tasks in which others are refused.
func (s *sequence) volley() error {
	var shots []shot
	draw := s.draw
	if s.random.IntN(2) == 0 { // what causes no event lets the workflow go on without a Dispatch
		draw = func() string { return eventless[s.random.IntN(len(eventless))] }
	}
	numbered := 2 + s.random.IntN(3)
	for _, i := range s.random.Perm(numbered) {
		shots = append(shots, s.shot(draw(), s.number+int64(i)+1))
	}
	s.number += int64(numbered)
	for range 1 + s.random.IntN(2) {
		one := s.shot(draw(), 0)
		one.isUpdate = true
		shots = append(shots, one)
	}
	failures := make([]error, len(shots))
	var flying sync.WaitGroup
	for i, one := range shots {
		if one.isUpdate {
			s.updates++
		} else {
			s.signals++
		}
		flying.Go(func() {
			time.Sleep(one.delay)
			failures[i] = s.send(one)
		})
	}
	flying.Wait()
	return errors.Join(failures...)
}

// eventless are commands that cause no event, most of them refused.
var eventless = []string{"retrieve", "hold", "teleport", `signal_removed {"name":"none"}`}

// shot makes a shot of a command; number is its source_sequence, 0 for none.
func (s *sequence) shot(line string, number int64) shot {
	name, payload, _ := strings.Cut(line, " ")
	fields := strings.TrimSuffix(strings.TrimPrefix(payload, "{"), "}")
	if number > 0 {
		if fields != "" {
			fields += ","
		}
		fields += fmt.Sprintf(`"source_sequence":%d`, number)
	}
	return shot{name: name, payload: "{" + fields + "}", isUpdate: s.random.IntN(2) == 0, delay: time.Duration(s.random.Int64N(int64(20 * time.Millisecond)))}
}

func (s *sequence) send(one shot) error {
	var err error
	if one.isUpdate {
		s.note("volley: update %s %s", one.name, one.payload)
		err = s.update(one.name, one.payload)
	} else {
		s.note("volley: signal %s %s", one.name, one.payload)
		err = s.client.Signal(s.ctx, s.name, one.name, json.RawMessage(one.payload))
	}
	if err != nil {
		return fmt.Errorf("%s %s: %w", one.name, one.payload, err)
	}
	return nil
}
