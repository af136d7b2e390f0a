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

// spillSize is how much may wait for receivers in an interaction, in bytes. More goes to
// the lane workflows: an interaction must be able to carry everything over at any time.
const spillSize = 512 << 10

// shortPause is the longest time that a lane waits here for its call's limits.
const shortPause = 5 * time.Second

// lane is the deliveries of one interaction for one call, in order. Lanes are independent
// of each other.
type lane struct {
	Call string `json:"call"`
	// Waiting are the rendered requests that the interaction itself is to attempt.
	Waiting []contract.Request `json:"waiting,omitempty"`
	// Failed is the outcome of the first attempt of the first waiting request, if that
	// failed: the lane is to be handed over.
	Failed *contract.Outcome `json:"failed,omitempty"`
	// HandedOver: the lane belongs to its Delivery workflow. LastAppended is the last
	// delivery that the workflow got.
	HandedOver   bool   `json:"handed_over,omitempty"`
	LastAppended string `json:"last_appended,omitempty"`
	// Drained is the last delivery of a lane workflow that had nothing left. The lane may
	// report it before the activity that appended it has ended.
	Drained string `json:"drained,omitempty"`

	working     bool // a coroutine works the lane off
	handingOver bool // the activity HandOver is running
}

// lanes are the lanes that have had requests, in the order of their first requests.
type lanes []*lane

func (ls *lanes) laneOf(call string) *lane {
	for _, l := range *ls {
		if l.Call == call {
			return l
		}
	}
	l := &lane{Call: call}
	*ls = append(*ls, l)
	return l
}

// states returns, for Dispatch, the lanes that it must not overtake.
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

// isToHandOver reports whether the waiting requests belong to the Delivery workflow.
func (l *lane) isToHandOver() bool { return l.HandedOver || l.Failed != nil }

// anyToHandOver reports whether waiting requests of a lane are to go to its Delivery
// workflow.
func (ls lanes) anyToHandOver() bool {
	for _, l := range ls {
		if len(l.Waiting) > 0 && l.isToHandOver() {
			return true
		}
	}
	return false
}

// isHandingOver reports whether a lane's deliveries are being handed over. The Delivery
// workflow may report on them before the activity has ended.
func (ls lanes) isHandingOver(call string) bool {
	return slices.ContainsFunc(ls, func(l *lane) bool { return l.Call == call && l.handingOver })
}

// size returns the size of the requests that wait in all lanes, in bytes.
func (ls lanes) size() int {
	size := 0
	for _, l := range ls {
		for _, request := range l.Waiting {
			size += request.SizeWithSource()
		}
	}
	return size
}

// noteAppended notes the last delivery that the lane workflow was given.
func (l *lane) noteAppended(last string) {
	l.LastAppended = last
	l.HandedOver = last != l.Drained
}

// noteDrained notes that the lane workflow has nothing left. If it has not had, or not
// reported, everything, more is on its way to it, and nothing may overtake that.
func (l *lane) noteDrained(last string, hasOpen bool) {
	l.Drained = last
	l.HandedOver = l.HandedOver && (l.LastAppended != last || hasOpen)
}

// head returns the first of the waiting requests, as many as fit into one batch, at least one.
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

// batch returns the requests of one attempt, without what an attempt does not need. A
// request that must not be repeated is alone in its batch.
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

// workOff works off a lane in a coroutine of its own, until nothing of it waits.
func (r *run) workOff(l *lane) {
	if l.working || len(l.Waiting) == 0 || r.phase() != phaseRunning {
		return
	}
	l.working = true
	workflow.Go(r.ctx, func(ctx workflow.Context) {
		for len(l.Waiting) > 0 && r.phase() == phaseRunning {
			r.inFlight++
			r.advanceLane(ctx, l)
			r.inFlight--
		}
		l.working = false
		r.changed = true
	})
}

// advanceLane does one step for a lane: an attempt, or handing it over. In a full task it only
// waits for the next one.
func (r *run) advanceLane(ctx workflow.Context, l *lane) {
	if r.task().isFull() {
		if err := workflow.Await(ctx, r.requestNextTask()); err != nil {
			workflow.GetLogger(ctx).Warn("not waiting for the next task", "call", l.Call, "error", err)
		}
		return
	}
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
	err := workflow.ExecuteActivity(r.withPriority(withAttempt(ctx, attemptSummary(l.Call, batch), batch)), contract.ActivityAttempt, in).Get(ctx, &result)
	if err != nil || len(result.Outcomes) == 0 {
		// The activity itself has failed. The lane workflow takes over; the receiver
		// recognizes a repeat by its id.
		if batch[0].Once {
			unknown := unknownOutcome(ctx, batch[0])
			r.noteOutcome(l, &unknown)
		}
		r.handOver(ctx, l)
		return
	}
	r.changed = true
	for i := range result.Outcomes {
		outcome := &result.Outcomes[i]
		if outcome.Free && outcome.RetryIn <= shortPause && !r.Interaction.Completed() {
			r.pauseLane(ctx, l, outcome.RetryIn)
			return
		}
		r.noteOutcome(l, outcome)
	}
}

// pauseLane waits for a call whose limits are reached. Nothing was sent, so that is no
// reason to hand the lane over.
func (r *run) pauseLane(ctx workflow.Context, l *lane, wait time.Duration) {
	timer := workflow.NewTimerWithOptions(ctx, wait, workflow.TimerOptions{Summary: summaryOf("%s: limits reached, waiting", l.Call)})
	if err := timer.Get(ctx, nil); err != nil {
		workflow.GetLogger(ctx).Warn("not waiting for the limits of a call", "call", l.Call, "error", err)
	}
}

// noteOutcome records the outcome of the lane's first waiting request.
func (r *run) noteOutcome(l *lane, outcome *contract.Outcome) {
	if outcome.Verdict != contract.VerdictDelivered {
		r.Deliveries.setStatus(outcome.ID, contract.StatusAttempting, outcome)
		l.Failed = outcome
		r.noteFault(l.Call, l.Waiting[0].Moment, outcome)
		return
	}
	r.Deliveries.setStatus(outcome.ID, contract.StatusDelivered, outcome)
	r.writeReturns(l.Call, outcome.Returns)
	l.Waiting = l.Waiting[1:]
}

// noteFault fires the moment "fault" if a delivery has failed permanently: the lane workflow
// parks it. It fires also after the interaction's end, as long as this workflow is open.
func (r *run) noteFault(call, moment string, outcome *contract.Outcome) {
	if outcome.Verdict != contract.VerdictFinal || !r.Deliveries.isOpen(outcome.ID, call) {
		return
	}
	effect := r.Interaction.Fault(interaction.Failure{
		Call: call, Class: outcome.Class, Code: outcome.Code, Delivery: outcome.ID, Of: interaction.Moment(moment),
	}, workflow.Now(r.ctx))
	if len(effect.Turn.Events) == 0 {
		return
	}
	r.keepEffect(effect)
	r.noteChange(cause{command: string(interaction.MomentFault), events: effect.Turn.Events})
	r.noteRefusedEngagement(call, moment, outcome)
}

// handOver appends requests to the lane's Delivery workflow, which owns the lane from then
// on.
func (r *run) handOver(ctx workflow.Context, l *lane) {
	batch := l.head(contract.Request.SizeWithSource)
	for _, request := range batch {
		r.task().size += request.SizeWithSource()
	}
	in := contract.HandOver{Owner: r.owner, Call: l.Call, Requests: batch, Failed: l.Failed, Priority: r.priority()}
	l.handingOver = true
	defer func() { l.handingOver = false }()
	if err := workflow.ExecuteActivity(r.withPriority(withHandOver(ctx, handOverSummary(in))), contract.ActivityHandOver, in).Get(ctx, nil); err != nil {
		workflow.GetLogger(ctx).Error("handing over failed, retrying", "call", l.Call, "error", err)
		return
	}
	for _, request := range batch {
		status := contract.StatusInLane
		if l.Failed != nil && l.Failed.Verdict == contract.VerdictFinal {
			status = contract.StatusParked
		}
		r.Deliveries.setStatus(request.ID, status, l.Failed)
		l.Failed = nil // it belongs to the first one only
	}
	r.changed = true
	l.noteAppended(batch[len(batch)-1].ID)
	l.Waiting = l.Waiting[len(batch):]
}
