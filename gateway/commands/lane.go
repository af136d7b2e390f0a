package commands

import (
	"fmt"
	"runtime"
	"slices"

	"segue/client"
	"segue/contract"
)

// lane has the calls of one interaction that wait for the update in flight, in order.
type lane struct {
	name            client.Name
	waiting         []*call
	commands, bytes int // of those that wait
}

// submit sends a call at once if the interaction is idle, and queues it otherwise. It returns an
// overloaded *client.RefusedError if too much waits.
func (s *Sender) submit(n client.Name, c *call) (*lane, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l, isBusy := s.lanes[n]
	if !isBusy {
		l = &lane{name: n}
		s.lanes[n] = l
		go s.run(l, []*call{c})
		return l, nil
	}
	if l.commands+c.count > QueueLimit || l.bytes+c.bytes > QueueBytes {
		return nil, overloaded("%d commands wait for %s already", l.commands, n)
	}
	if s.bytes+c.bytes > TotalBytes {
		return nil, overloaded("too many commands wait")
	}
	l.waiting = append(l.waiting, c)
	s.count(l, c, 1)
	return l, nil
}

func overloaded(format string, args ...any) error {
	return &client.RefusedError{
		Type: contract.ErrorOverloaded, Message: fmt.Sprintf(format, args...) + "; send the command again later",
	}
}

// count adds a call to the counts of what waits, or takes it out of them.
func (s *Sender) count(l *lane, c *call, sign int) {
	l.commands += sign * c.count
	l.bytes += sign * c.bytes
	s.bytes += sign * c.bytes
}

// withdraw takes a call out of the queue. It returns false if the call was sent already.
func (s *Sender) withdraw(l *lane, c *call) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.Index(l.waiting, c)
	if i < 0 {
		c.gone.Store(true)
		return false
	}
	l.waiting = slices.Delete(l.waiting, i, i+1)
	s.count(l, c, -1)
	return true
}

// run sends a group, and then what waits, until nothing does.
func (s *Sender) run(l *lane, group []*call) {
	growStack()
	for len(group) > 0 {
		s.send(l.name, group)
		group = s.next(l)
	}
}

// next takes the next group out of the queue. Without one, the interaction is idle.
func (s *Sender) next(l *lane) []*call {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := sizeOfGroup(l.waiting)
	if n == 0 {
		delete(s.lanes, l.name)
		return nil
	}
	group := slices.Clone(l.waiting[:n])
	l.waiting = slices.Delete(l.waiting, 0, n) // clears what it leaves behind
	for _, c := range group {
		s.count(l, c, -1)
	}
	return group
}

// sizeOfGroup returns how many of the calls that wait go together.
func sizeOfGroup(waiting []*call) int {
	commands, bytes := 0, 0
	for i, c := range waiting {
		commands, bytes = commands+c.count, bytes+c.bytes
		isWithOthers := !c.alone && !c.isStart()
		switch {
		case i == 0 && !isWithOthers:
			return 1
		case i > 0 && (!isWithOthers || commands > GroupLimit || bytes > GroupBytes):
			return i
		}
	}
	return len(waiting)
}

// stackOfCall is the stack that a call of Temporal's client needs, in bytes: its search for payloads in a request has a
// frame of 8 KiB for each level.
const stackOfCall = 60 << 10

// growStack grows the stack of a new goroutine at once. Grown on demand it would be copied five times, the last ones under
// some fifty frames, which costs a third of the CPU of the call.
//
//go:noinline
func growStack() {
	var space [stackOfCall]byte
	runtime.KeepAlive(&space)
}
