package intake_test

import "testing"

// BenchmarkTake takes numbered commands that arrive in order.
func BenchmarkTake(b *testing.B) {
	s := newSource(b, call)
	first := read(b, `dtmf {"digits":"1"}`)
	applied := 0
	b.ReportAllocs()
	for number := int64(1); b.Loop(); number++ {
		a := *first
		a.Number = number
		for _, verdict := range s.in.Take(&a, true, s.now) {
			if verdict.Err == nil {
				applied++
			}
		}
	}
	if applied == 0 {
		b.Fatal("nothing was applied")
	}
}
