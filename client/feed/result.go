package feed

import (
	"cmp"
	"slices"

	"segue/client"
)

// Result is what became of a feed.
type Result struct {
	// Lines counts the lines that hold something.
	Lines int `json:"lines"`
	// Interactions counts those that lines name.
	Interactions int `json:"interactions"`
	// Accepted counts the lines that were applied now.
	Accepted int `json:"accepted"`
	// Duplicates counts the lines that had been applied before: earlier in this
	// feed, or in an earlier one.
	Duplicates int `json:"duplicates"`
	// Unknown counts the lines of interactions that did not answer: signals that Temporal has and whose outcome is not
	// known, and lines that were not sent behind an update without an answer.
	Unknown int `json:"unknown"`
	// Unanswered lists those interactions, in the order of their names.
	Unanswered []Unanswered `json:"unanswered"`
	// Rejected lists the others, by line.
	Rejected []Rejection `json:"rejected"`

	// Runs are the first runs of the interactions that this feed started.
	Runs map[client.Name]string `json:"-"`
}

// Rejection is a line that changed nothing, and why.
type Rejection struct {
	Line        int    `json:"line"`
	Interaction string `json:"interaction,omitempty"`
	Command     string `json:"command,omitempty"`
	EventID     string `json:"event_id,omitempty"`
	Reason      string `json:"reason"`
}

// Unanswered is an interaction that did not answer, and why.
type Unanswered struct {
	Interaction string `json:"interaction"`
	// Lines are the numbers of its lines whose outcome is not known.
	Lines  []int  `json:"lines"`
	Reason string `json:"reason"`
}

func (r *Result) unanswered(b *progress) {
	r.Unknown += len(b.unknown)
	r.Unanswered = append(r.Unanswered, Unanswered{Interaction: b.name.String(), Lines: b.unknown, Reason: b.unanswered.Error()})
}

func (r *Result) reject(l Line, reason string) {
	r.Rejected = append(r.Rejected, Rejection{
		Line: l.Number, Interaction: l.Name.String(), Command: l.Command, EventID: l.EventID, Reason: reason,
	})
}

// merge adds what another worker of the same feed has counted.
func (r *Result) merge(other Result) {
	r.Lines += other.Lines
	r.Interactions += other.Interactions
	r.Accepted += other.Accepted
	r.Duplicates += other.Duplicates
	r.Unknown += other.Unknown
	r.Unanswered = append(r.Unanswered, other.Unanswered...)
	r.Rejected = append(r.Rejected, other.Rejected...)
	for name, run := range other.Runs {
		r.Runs[name] = run
	}
}

func (r *Result) sort() {
	slices.SortFunc(r.Rejected, func(a, b Rejection) int { return cmp.Compare(a.Line, b.Line) })
	slices.SortFunc(r.Unanswered, func(a, b Unanswered) int { return cmp.Compare(a.Interaction, b.Interaction) })
}
