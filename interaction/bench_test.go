package interaction_test

import (
	"testing"
	"time"

	"segue/interaction"
)

// BenchmarkApply plays the life of an inbound call: six commands an interaction.
func BenchmarkApply(b *testing.B) {
	var commands []interaction.Command
	for _, line := range after(talking, `update_user_data {"user_data":{"order":7}}`, `disconnect`, `complete {"disposition":{"code":"SOLD"}}`) {
		commands = append(commands, command(b, line))
	}
	decoded, _ := interaction.DecodeStart([]byte(sales))
	b.ReportAllocs()
	for b.Loop() {
		i, _, _ := interaction.Open(decoded, begin)
		for n, cmd := range commands {
			if _, err := i.Apply(cmd, begin.Add(time.Duration(n)*time.Second)); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(commands)), "ns/command")
}

// BenchmarkApplyOne is a hold on a call with a full timeline.
func BenchmarkApplyOne(b *testing.B) {
	s := opened(b, sales)
	s.do(queued...)
	for range 200 {
		s.do(`offer {"agent":"a1"}`, `reject {"agent":"a1"}`)
	}
	s.do(`accept {"agent":"a1"}`)
	cmd := command(b, `hold`)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.i.Apply(cmd, s.now); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDecode(b *testing.B) {
	payload := []byte(`{"event_id":"0190-1","at":"2026-03-01T09:00:00Z","source_sequence":3,"agent":{"id":"a1","name":"Ann","team":"red"}}`)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := interaction.Decode("accept", payload); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkStatus(b *testing.B) {
	s := opened(b, sales)
	s.do(talking...)
	b.ReportAllocs()
	for b.Loop() {
		_ = s.i.Status()
	}
}
