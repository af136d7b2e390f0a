package intake_test

import (
	"testing"

	"segue/interaction/intake"
)

// BenchmarkRead decodes a command of an update, whose id is the command's.
func BenchmarkRead(b *testing.B) {
	payload := []byte(`{"event_id":"0190-1","at":"2026-03-01T09:00:00Z","agent":{"id":"a1","name":"Ann","team":"red"}}`)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := intake.Read("accept", payload, "0190-1"); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkTake takes commands that arrive in order, with and without numbers.
func BenchmarkTake(b *testing.B) {
	for _, numbered := range []bool{true, false} {
		b.Run(map[bool]string{true: "numbered", false: "unnumbered"}[numbered], func(b *testing.B) {
			s := newSource(b, call)
			first := read(b, `dtmf {"digits":"1"}`)
			applied := 0
			b.ReportAllocs()
			for number := int64(1); b.Loop(); number++ {
				a := *first
				if numbered {
					a.Number = number
				}
				for _, verdict := range s.in.Take(&a, true, s.now) {
					if verdict.Err == nil {
						applied++
					}
				}
			}
			if applied == 0 {
				b.Fatal("nothing was applied")
			}
		})
	}
}
