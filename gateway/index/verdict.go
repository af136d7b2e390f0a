package index

import "segue/contract"

// verdict is how a notice relates to the history of its interaction.
type verdict int

const (
	known verdict = iota
	next
	later // of the same run, with others missing between
	other // of another run, and not the next: a query decides
)

// begins reports whether the run of a notice begins a chain, so that its revisions count from 1.
func begins(n *contract.Notice) bool { return n.FirstRunID == n.RunID }

// from returns the cursor from which the history of an interaction goes on.
func (r *record) from() cursor {
	if r.shown.run == "" {
		return r.base
	}
	return r.shown
}

func (x *Index) judge(r *record, n *contract.Notice) verdict {
	from := r.from()
	switch {
	case from.run == "":
		if x.complete && !r.older && n.Revision > 1 {
			return later // a new interaction, whose first notices are late or lost
		}
		return next
	case r.shown.run == "" && n.RunID == from.run && n.Revision <= from.revision:
		return next // a query was faster than the first notice
	case n.Revision <= from.revision && (n.RunID == from.run || r.shownLeft.has(n.RunID)):
		return known
	case r.shownLeft.has(n.RunID):
		return other // a reset has ended it, or it was left by mistake
	case from.continues(n):
		return next
	case n.RunID == from.run:
		return later
	}
	return other
}

// gapBefore returns the revisions that have no notice of their own before this one; a repair has
// none either.
func (x *Index) gapBefore(r *record, n *contract.Notice) *span {
	from, to := r.from(), n.Revision-1
	first := from.revision + 1
	if from.run == "" {
		first = n.Revision
		if x.complete && !r.older {
			first = 1
		}
	}
	if n.Command == commandRepair {
		to = n.Revision
	}
	if first = min(first, n.Revision); first > to {
		return nil
	}
	return &span{first, to}
}
