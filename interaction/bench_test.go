package interaction_test

import (
	"encoding/json"
	"testing"
	"time"

	"segue/interaction"
)

// call is the start of an inbound call, with the data that platforms send along.
var call = start("inbound", `"queue":"sales","ani":"+4930123456","dnis":"+4989654321","native_id":"0190-7f3a",
	"customer":{"id":"c-1","name":"Ada Lovelace","vip":true},
	"user_data":{"tier":"gold","score":7.5,"language":"de","order":{"id":"o-17","items":3,"total":129.9},"tags":["web","retry"]}`)

// life is the commands of that call, with the fields that platforms send.
var life = []string{
	`place_in_queue {"event_id":"0190-1","at":"2026-03-01T09:00:00Z","queue":"sales"}`,
	`offer {"event_id":"0190-2","at":"2026-03-01T09:00:05Z","agent":{"id":"a1","name":"Ann","team":"red","extern_id":"4711"}}`,
	`accept {"event_id":"0190-3","at":"2026-03-01T09:00:09Z","agent":{"id":"a1"}}`,
	`update_user_data {"event_id":"0190-4","user_data":{"order":{"id":"o-18"},"language":"en"}}`,
	`disconnect {"event_id":"0190-5","at":"2026-03-01T09:03:00Z","reason":"customer hung up"}`,
	`complete {"event_id":"0190-6","at":"2026-03-01T09:03:20Z","disposition":{"code":"SOLD","notes":"called back"}}`,
}

// BenchmarkApply plays the life of an inbound call: six commands an interaction.
func BenchmarkApply(b *testing.B) {
	var commands []interaction.Command
	for _, line := range life {
		commands = append(commands, command(b, line))
	}
	decoded, err := interaction.DecodeStart([]byte(call))
	if err != nil {
		b.Fatal(err)
	}
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
	s := opened(b, call)
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

// handled returns the call while an agent handles it.
func handled(b *testing.B) *interaction.Interaction {
	s := opened(b, call)
	s.do(life[:4]...)
	return s.i
}

// BenchmarkCheck is what a validator of an update does besides decoding.
func BenchmarkCheck(b *testing.B) {
	i, cmd := handled(b), command(b, life[4])
	b.ReportAllocs()
	for b.Loop() {
		if err := i.Check(cmd); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDecode(b *testing.B) {
	for _, c := range []struct{ name, payload string }{
		{"accept", `{"event_id":"0190-1","at":"2026-03-01T09:00:00Z","source_sequence":3,"agent":{"id":"a1","name":"Ann","team":"red"}}`},
		{"dtmf", `{"event_id":"0190-1","digits":"1"}`},
		{"update_user_data", `{"event_id":"0190-1","user_data":{"order":{"id":"o-17","items":[{"sku":"a","n":1},{"sku":"b","n":2}]},"language":"de","score":7.5}}`},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := interaction.Decode(c.name, []byte(c.payload)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkDecodeStart(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := interaction.DecodeStart([]byte(call)); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkCapabilities are part of every answer and status.
func BenchmarkCapabilities(b *testing.B) {
	i := handled(b)
	b.ReportAllocs()
	for b.Loop() {
		if len(i.Capabilities()) == 0 {
			b.Fatal("nothing is legal")
		}
	}
}

func BenchmarkView(b *testing.B) {
	i := handled(b)
	b.ReportAllocs()
	for b.Loop() {
		if i.View(begin).Agent == nil {
			b.Fatal("no agent")
		}
	}
}

func BenchmarkStatus(b *testing.B) {
	i := handled(b)
	b.ReportAllocs()
	for b.Loop() {
		if i.Status().Agent == nil {
			b.Fatal("no agent")
		}
	}
}

// BenchmarkEncode encodes the interaction as it is carried over to the next run.
func BenchmarkEncode(b *testing.B) {
	i := handled(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := json.Marshal(i); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkEncodeAgent(b *testing.B) {
	agent := interaction.Agent{ID: "ada", Name: "Ada"}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := json.Marshal(&agent); err != nil {
			b.Fatal(err)
		}
	}
}
