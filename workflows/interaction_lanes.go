package workflows

import (
	"slices"
	"time"

	"go.temporal.io/sdk/workflow"

	"segue/contract"
	"segue/interaction"
)

// batchSize bounds what one Attempt or one append carries, in bytes.
const batchSize = 256 << 10

// spillSize is how much may wait for receivers in an interaction, in bytes. What is
// beyond it goes to the lane workflows: an interaction has to be able to carry
// everything it has into its next run, at any time.
const spillSize = 512 << 10

// soon is how long a lane waits here for its call's limits.
const soon = 5 * time.Second

// lane is the deliveries of one interaction for one call: in order, and
// independent of every other lane.
type lane struct {
	Call string `json:"call"`
	// Waiting are rendered requests that the interaction itself is to attempt.
	Waiting []contract.Request `json:"waiting,omitempty"`
	// Failed is the outcome of the first waiting request's first attempt: the lane
	// is to be handed over.
	Failed *contract.Outcome `json:"failed,omitempty"`
	// HandedOver says that the lane belongs to its Delivery workflow, and
	// LastAppended which delivery that got last.
	HandedOver   bool   `json:"handed_over,omitempty"`
	LastAppended string `json:"last_appended,omitempty"`
	// Drained is the last delivery of a lane workflow that had nothing left. It may
	// be told before the append itself is known to have worked.
	Drained string `json:"drained,omitempty"`

	working bool
	giving  bool // the activity HandOver is running
}

// lanes are the lanes that have had work, in the order of their first.
type lanes []*lane

func (ls *lanes) of(call string) *lane {
	for _, l := range *ls {
		if l.Call == call {
			return l
		}
	}
	l := &lane{Call: call}
	*ls = append(*ls, l)
	return l
}

// states tells Dispatch which lanes it must not overtake.
func (ls lanes) states() map[string]contract.LaneState {
	states := make(map[string]contract.LaneState)
	for _, l := range ls {
		switch {
		case len(l.Waiting) > 0 || l.working:
			states[l.Call] = contract.LaneBusy
		case l.HandedOver:
			states[l.Call] = contract.LaneHandedOver
		}
	}
	return states
}

func (ls lanes) areIdle() bool {
	for _, l := range ls {
		if len(l.Waiting) > 0 || l.working {
			return false
		}
	}
	return true
}

// isToHandOver tells whether what waits belongs to the Delivery workflow.
func (l *lane) isToHandOver() bool { return l.HandedOver || l.Failed != nil }

// areHandingOver tells whether what waits in some lane is on its way to its Delivery
// workflow.
func (ls lanes) areHandingOver() bool {
	for _, l := range ls {
		if len(l.Waiting) > 0 && l.isToHandOver() {
			return true
		}
	}
	return false
}

// isBeingGiven reports whether a lane's deliveries are being handed over: the workflow
// that gets them may report before it is known that it has them.
func (ls lanes) isBeingGiven(call string) bool {
	return slices.ContainsFunc(ls, func(l *lane) bool { return l.Call == call && l.giving })
}

// size is what waits in all lanes, in bytes.
func (ls lanes) size() int {
	size := 0
	for _, l := range ls {
		for _, request := range l.Waiting {
			size += request.SizeWithSource()
		}
	}
	return size
}

// appended notes the last delivery that the lane workflow was given.
func (l *lane) appended(last string) {
	l.LastAppended = last
	l.HandedOver = last != l.Drained
}

// drained notes that the lane workflow has nothing left. Unless it has had
// everything, and reported it, more is on its way, and nothing may overtake that.
func (l *lane) drained(last string, hasOpen bool) {
	l.Drained = last
	l.HandedOver = l.HandedOver && (l.LastAppended != last || hasOpen)
}

// head are those of the waiting requests that fit into one batch, at least one.
func (l *lane) head(sizeOf func(contract.Request) int) []contract.Request {
	size := 0
	for i, request := range l.Waiting {
		size += sizeOf(request)
		if size > batchSize && i > 0 {
			return l.Waiting[:i]
		}
	}
	return l.Waiting
}

// batch are the requests of one attempt, without what an attempt does not need. One
// that must not be repeated goes alone.
func (l *lane) batch() []contract.Request {
	head := l.head(contract.Request.Size)
	if i := slices.IndexFunc(head, func(r contract.Request) bool { return r.Once }); i >= 0 {
		head = head[:max(i, 1)]
	}
	bare := make([]contract.Request, len(head))
	for i, request := range head {
		bare[i] = request.WithoutSource()
	}
	return bare
}

// work lets a lane be worked off beside the others, until nothing of it waits.
func (r *run) work(l *lane) {
	if l.working || len(l.Waiting) == 0 || r.phase() != phaseRunning {
		return
	}
	l.working = true
	workflow.Go(r.ctx, func(ctx workflow.Context) {
		for len(l.Waiting) > 0 && r.phase() == phaseRunning {
			r.inFlight++
			r.step(ctx, l)
			r.inFlight--
		}
		l.working = false
		r.touched = true
	})
}

// step does one thing for a lane: an attempt, or handing it over.
func (r *run) step(ctx workflow.Context, l *lane) {
	r.awaitRoom(ctx)
	if l.isToHandOver() || r.Lanes.size() > spillSize {
		r.handOver(ctx, l)
		return
	}
	batch := l.batch()
	for _, request := range batch {
		r.task().size += request.Size()
	}
	in := contract.AttemptInput{Owner: r.owner, Call: l.Call, Requests: batch, Number: 1}
	var result contract.AttemptResult
	err := workflow.ExecuteActivity(r.inTurn(withAttempt(ctx, attemptSummary(l.Call, batch), batch)), contract.ActivityAttempt, in).Get(ctx, &result)
	if err != nil || len(result.Outcomes) == 0 {
		// Only the activity's own end comes here; the lane workflow takes what is left,
		// and its receiver knows a repeat by its id.
		if batch[0].Once {
			unknown := unknownOutcome(ctx, batch[0])
			r.settle(l, &unknown)
		}
		r.handOver(ctx, l)
		return
	}
	r.touched = true
	for i := range result.Outcomes {
		outcome := &result.Outcomes[i]
		if outcome.Free && outcome.RetryIn <= soon && !r.Interaction.Completed() {
			r.pause(ctx, l, outcome.RetryIn)
			return
		}
		r.settle(l, outcome)
	}
}

// pause waits a moment for a call whose own limits were reached: nothing was sent,
// so that is no reason to hand the lane over.
func (r *run) pause(ctx workflow.Context, l *lane, wait time.Duration) {
	timer := workflow.NewTimerWithOptions(ctx, wait, workflow.TimerOptions{Summary: summaryOf("%s: its limits are reached", l.Call)})
	if err := timer.Get(ctx, nil); err != nil {
		workflow.GetLogger(ctx).Warn("limits are not waited for", "call", l.Call, "error", err)
	}
}

// settle records the outcome of the lane's first waiting request.
func (r *run) settle(l *lane, outcome *contract.Outcome) {
	if outcome.Verdict != contract.VerdictDelivered {
		r.Deliveries.set(outcome.ID, contract.StatusAttempting, outcome)
		l.Failed = outcome
		r.noteFault(l.Call, l.Waiting[0].Moment, outcome)
		return
	}
	r.Deliveries.set(outcome.ID, contract.StatusDelivered, outcome)
	r.writeReturns(l.Call, outcome.Returns)
	l.Waiting = l.Waiting[1:]
}

// noteFault fires the moment "fault" when no attempt will help a delivery: the lane
// workflow parks it. It may come as long as this workflow is open, also after the
// interaction's end; after that nobody is left to fire it.
func (r *run) noteFault(call, when string, outcome *contract.Outcome) {
	if outcome.Verdict != contract.VerdictFinal || !r.Deliveries.isOpen(outcome.ID, call) {
		return
	}
	r.keepEffect(r.Interaction.Fault(interaction.Failure{
		Call: call, Class: outcome.Class, Code: outcome.Code, Delivery: outcome.ID, Of: interaction.Moment(when),
	}, workflow.Now(r.ctx)))
}

// handOver appends requests to the lane's Delivery workflow, which owns the lane
// from then on.
func (r *run) handOver(ctx workflow.Context, l *lane) {
	batch := l.head(contract.Request.SizeWithSource)
	for _, request := range batch {
		r.task().size += request.SizeWithSource()
	}
	in := contract.HandOver{Owner: r.owner, Call: l.Call, Requests: batch, Failed: l.Failed, Priority: r.priority()}
	summary := summaryOf("%s: %d to its lane workflow", l.Call, len(batch))
	l.giving = true
	defer func() { l.giving = false }()
	if err := workflow.ExecuteActivity(r.inTurn(withHandOver(ctx, summary)), contract.ActivityHandOver, in).Get(ctx, nil); err != nil {
		workflow.GetLogger(ctx).Error("handing over failed, trying again", "call", l.Call, "error", err)
		return
	}
	for _, request := range batch {
		status := contract.StatusInLane
		if l.Failed != nil && l.Failed.Verdict == contract.VerdictFinal {
			status = contract.StatusParked
		}
		r.Deliveries.set(request.ID, status, l.Failed)
		l.Failed = nil // it belongs to the first one only
	}
	r.touched = true
	l.appended(batch[len(batch)-1].ID)
	l.Waiting = l.Waiting[len(batch):]
}

func attemptSummary(call string, batch []contract.Request) string {
	if len(batch) == 1 {
		return summaryOf("%s: %s, event %d", call, batch[0].Moment, batch[0].Sequence)
	}
	return summaryOf("%s: events %d to %d", call, batch[0].Sequence, batch[len(batch)-1].Sequence)
}
