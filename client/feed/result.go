package feed

import (
	"cmp"
	"slices"

	"segue/client"
)

// Result counts the outcomes of a feed's lines. Each line is accepted, a duplicate, unknown or
// rejected.
type Result struct {
	// Lines counts the lines that are not blank.
	Lines int `json:"lines"`
	// Interactions counts the interactions that lines name.
	Interactions int `json:"interactions"`
	// Accepted counts the lines that this feed applied.
	Accepted int `json:"accepted"`
	// Duplicates counts the lines that had been applied before, in this feed or an earlier one.
	Duplicates int `json:"duplicates"`
	// Unknown counts the lines of interactions that did not answer: signals that Temporal has stored and whose outcome is
	// unknown, and lines that were not sent because an update in front of them was not answered.
	Unknown int `json:"unknown"`
	// Unanswered lists those interactions, in the order of their names.
	Unanswered []Unanswered `json:"unanswered"`
	// Rejected lists the rejected lines, in the order of the feed.
	Rejected []Rejection `json:"rejected"`

	// Runs are the run ids of the interactions that this feed started.
	Runs map[client.Name]string `json:"-"`
}

// Rejection is a line that changed nothing, and the reason.
type Rejection struct {
	Line        int    `json:"line"`
	Interaction string `json:"interaction,omitempty"`
	Command     string `json:"command,omitempty"`
	EventID     string `json:"event_id,omitempty"`
	Reason      string `json:"reason"`
}

// Unanswered is an interaction that did not answer, and the reason.
type Unanswered struct {
	Interaction string `json:"interaction"`
	// Lines are the numbers of its lines whose outcome is unknown.
	Lines  []int  `json:"lines"`
	Reason string `json:"reason"`
}

func (r *Result) addUnanswered(p *progress) {
	r.Unknown += len(p.unknown)
	r.Unanswered = append(r.Unanswered, Unanswered{Interaction: p.name.String(), Lines: p.unknown, Reason: p.unanswered.Error()})
}

func (r *Result) reject(l Line, reason string) {
	r.Rejected = append(r.Rejected, Rejection{
		Line: l.Number, Interaction: l.Name.String(), Command: l.Command, EventID: l.EventID, Reason: reason,
	})
}

// merge adds the result of one worker.
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
