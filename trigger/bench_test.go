package trigger_test

import (
	"testing"

	"segue/trigger"
)

// BenchmarkMatch matches one event against the triggers of a small configuration and of a large one, in which most triggers
// are for other moments, segments and queues.
func BenchmarkMatch(b *testing.B) {
	list := func(s ...string) []string { return s }
	few := []trigger.Spec{
		{Moments: list("interaction_starts"), Call: "crm"},
		{Moments: list("segment_change"), Segments: list("agent_selecting"), Call: "wallboard"},
		{Moments: list("segment_change"), Segments: list("handling.agent"), Queues: list("sales", "support"), Call: "crm"},
		{Moments: list("interaction_ends"), Call: "billing", Dispositions: list("SOLD")},
	}
	var many []trigger.Spec
	for i := range 90 {
		many = append(many, trigger.Spec{Moments: list("interaction_ends", "segment_change"), Call: calls[i%3], Queues: list("other")})
	}
	condition := trigger.Spec{Moments: list("segment_change"), Segments: list("handling.agent"), Call: "crm", If: `user_data.tier == "gold"`}
	for _, c := range []struct {
		name  string
		specs []trigger.Spec
	}{
		{"few", few},
		{"condition", []trigger.Spec{condition}},
		{"many", append(many, condition)},
	} {
		b.Run(c.name, func(b *testing.B) {
			set := compiled(b, c.specs...)
			v, e := handling()
			b.ReportAllocs()
			for b.Loop() {
				if firings, failed := set.Match(v, e); len(firings) != 1 || len(failed) > 0 {
					b.Fatal("must fire once: ", firings, failed)
				}
			}
		})
	}
}
