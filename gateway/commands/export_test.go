package commands

import "segue/client"

// Target is what a sender needs of client.Client, for tests that script it.
type Target = target

// NewTo returns a sender to a scripted target.
func NewTo(to Target, observe func(int)) *Sender { return newSender(to, observe) }

// Busy returns how many interactions have an update in flight, how many commands wait in one of
// them, and the bytes of all that wait.
func (s *Sender) Busy(n client.Name) (lanes, waiting, bytes int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if l := s.lanes[n]; l != nil {
		waiting = l.commands
	}
	return len(s.lanes), waiting, s.bytes
}
