package workflows

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"go.temporal.io/sdk/workflow"

	"segue/contract"
)

// A lane must be able to carry everything that it holds into its next run, at any time.
// Deliveries that it cannot hold go to parts: further Delivery workflows that form a chain
// with it. Each workflow of the chain knows the next one. It releases the next one when it
// has passed: when all that it holds is settled, or its order lets others pass. So the order
// of the lane holds, however long its receiver fails.
//
// The lane itself is appended to for the whole chain, and therefore knows the tail, to which
// it forwards, and the part that is sent now or next: each part that has passed reports to
// the lane which one follows. The lane closes after the last one.
//
// If an operator terminates a part, the chain stops there: the part before it, or the lane,
// starts that part again, marked incomplete, and it waits until an audit recovers what the
// terminated run held.

const (
	// laneSize is how much a lane or a part holds, in bytes: with everything else that
	// it carries, it stays within carryLimit.
	laneSize = carryLimit / 2
	// forwardSize is how much is forwarded at once, in bytes: twice as much as one append
	// brings, so that the lane forwards faster than it is appended to.
	forwardSize = 2 * batchSize
	// itemSize is what a delivery carries besides its request, in bytes: the last
	// attempt, the reason in words, when it is due.
	itemSize = 700
)

// chain is the place of a Delivery workflow in the chain of its lane.
type chain struct {
	// Overflow are deliveries that did not fit, on their way to the tail.
	Overflow []contract.Request `json:"overflow,omitempty"`
	// Next is the part that follows; of the lane, the part that is sent now or next.
	Next string `json:"next,omitempty"`
	// Tail is the part to which the lane forwards; nil in a part.
	Tail *contract.Tail `json:"tail,omitempty"`
	// Released lets a part send; Incomplete keeps it from sending until an audit has
	// recovered what an earlier run held.
	Released   bool `json:"released,omitempty"`
	Incomplete bool `json:"incomplete,omitempty"`
	// Begun says that this part got its first deliveries from the lane: no earlier run is missing.
	Begun bool `json:"begun,omitempty"`
	// Passed is the part that was released, or the delivery up to which the tail has
	// reported that it passed.
	Passed string `json:"passed,omitempty"`
	// Finished is the lane's latest report of its tail.
	Finished *passedReport `json:"finished,omitempty"`
}

// passedReport is the payload of signalPartPassed: a part has passed up to the delivery
// Last, and has released Next, if there is one.
type passedReport struct {
	Part string `json:"part"`
	Last string `json:"last,omitempty"`
	Next string `json:"next,omitempty"`
}

// size returns how much a delivery takes of what a lane carries, in bytes.
func (it *item) size() int {
	if it.bytes == 0 {
		it.bytes = sizeOf(it.Request)
	}
	return it.bytes
}

func sizeOf(r contract.Request) int {
	encoded, err := json.Marshal(r.WithoutSource())
	if err != nil {
		return r.Size() // plain data always encodes
	}
	return itemSize + len(encoded)
}

func (r *laneRun) isPart() bool { return r.start.Part != "" }

// isHeld reports whether a part must not send yet.
func (r *laneRun) isHeld() bool { return r.isPart() && (!r.Released || r.Incomplete) }

// hasParts reports whether deliveries of this lane are in parts.
func (r *laneRun) hasParts() bool { return !r.isPart() && r.Next != "" }

// overflows reports whether a delivery does not fit, or must follow one that did not. A part
// always has room: the lane measures what it forwards.
func (r *laneRun) overflows(request contract.Request) bool {
	if r.isPart() {
		return false
	}
	if r.hasParts() || len(r.Overflow) > 0 {
		return true
	}
	size, open := 0, 0
	for _, it := range r.Items {
		if !it.isSettled() {
			size += it.size()
			open++
		}
	}
	return open > 0 && size+sizeOf(request) > laneSize
}

// place adds a delivery at the end; one that was recovered before those that were appended
// since.
func (r *laneRun) place(added *item, in *contract.Chain) {
	if added.Recovered = in != nil && in.Recovered != nil; !added.Recovered {
		r.Items = append(r.Items, added)
		return
	}
	first := slices.IndexFunc(r.Items, func(it *item) bool { return !it.Recovered && !it.isSettled() })
	if first < 0 {
		first = len(r.Items)
	}
	r.Items = slices.Insert(r.Items, first, added)
}

// joinChain applies what a hand-over says of this workflow's place in the chain. before is
// the delivery that was appended last before the hand-over.
func (r *laneRun) joinChain(in *contract.Chain, before string) {
	if in == nil {
		return
	}
	r.Released = r.Released || in.Released
	r.Begun = r.Begun || in.Begins && !in.Incomplete
	lacks := in.Incomplete && (in.Recovered != nil || !r.Begun) // a release may have found no run yet, and signal the one that has begun
	r.Incomplete = r.isPart() && (lacks || r.Incomplete && in.Recovered == nil && !in.Begins)
	if in.Recovered != nil {
		r.Last = cmp.Or(before, in.Recovered.Last, r.Last)
	}
	if r.Next != "" || in.Next == "" {
		return
	}
	if r.isPart() {
		r.Next = in.Next
	} else if in.Recovered != nil && in.Recovered.Tail != nil { // a lane makes its parts itself
		r.Next, r.Tail = in.Next, in.Recovered.Tail
	}
}

// forward appends to the tail what did not fit. A new tail is linked to the part before it at
// the same time: a lane that forwards more slowly than it is appended to grows without being
// able to continue as new.
func (r *laneRun) forward() {
	if len(r.Overflow) > 0 && r.isTailFull() && !r.isTailUnlinked() {
		r.extend()
	}
	link := r.startLink()
	if len(r.Overflow) > 0 && !r.isTailFull() {
		r.appendToTail()
	}
	if link == nil {
		return
	}
	if r.awaitHandOver(r.Tail.After, link) == nil {
		r.Tail.After = ""
	}
}

// isTailFull reports whether the next delivery of the overflow needs a new tail.
func (r *laneRun) isTailFull() bool {
	return r.Tail == nil || r.Tail.Size > 0 && r.Tail.Size+sizeOf(r.Overflow[0]) > laneSize
}

// isTailUnlinked reports whether the part before the tail does not know the tail yet.
func (r *laneRun) isTailUnlinked() bool { return r.Tail != nil && r.Tail.After != "" }

// reserved returns how many deliveries of the overflow must be forwarded: those that are being
// forwarded, and the one that a new tail is named after.
func (r *laneRun) reserved() int {
	n := r.forwarding
	if r.Tail != nil && r.Tail.Size == 0 {
		n = max(n, 1)
	}
	return min(n, len(r.Overflow))
}

// extend makes a new tail. A part is named after its first delivery, so no other part of the
// lane ever has its name.
//
// The part before may pass at once and release the new one before the lane has forwarded
// anything to it; see contract.Chain.Begins.
func (r *laneRun) extend() {
	tail := &contract.Tail{Name: r.Overflow[0].ID}
	if r.Tail == nil {
		r.Next = tail.Name
	} else {
		tail.After = r.Tail.Name
	}
	r.Tail = tail
}

// startLink starts to link the tail to the part before it; nil if that part knows the tail.
func (r *laneRun) startLink() workflow.Future {
	if !r.isTailUnlinked() {
		return nil
	}
	return r.startHandOver(fmt.Sprintf("part %s follows part %s", r.Tail.Name, r.Tail.After),
		contract.HandOver{Part: r.Tail.After, Chain: &contract.Chain{Next: r.Tail.Name}})
}

func (r *laneRun) appendToTail() {
	tail := r.Tail
	batch, added := r.fitting(tail)
	requests := r.Overflow[:batch:batch]
	tail.Last = requests[batch-1].ID // a report of the tail that it has passed does not mean these
	in := contract.HandOver{Part: tail.Name, Requests: requests}
	if tail.Size == 0 {
		in.Chain = &contract.Chain{Begins: true}
	}
	r.forwarding = batch
	err := r.handOver(fmt.Sprintf("%d deliveries to part %s", batch, tail.Name), in)
	r.forwarding = 0
	if err != nil {
		return
	}
	tail.Size += added
	r.Overflow = r.Overflow[batch:]
	r.changed = true
}

// fitting returns how many deliveries of the overflow are forwarded to the tail at once, and
// how much of it they take.
func (r *laneRun) fitting(tail *contract.Tail) (n, size int) {
	bytes := 0
	for _, request := range r.Overflow {
		next := sizeOf(request)
		if bytes += request.SizeWithSource(); n > 0 && (bytes > forwardSize || tail.Size+size+next > laneSize) {
			break
		}
		n++
		size += next
	}
	return n, size
}

// handOver hands over to a part and waits for the end.
func (r *laneRun) handOver(what string, in contract.HandOver) error {
	return r.awaitHandOver(in.Part, r.startHandOver(what, in))
}

func (r *laneRun) startHandOver(what string, in contract.HandOver) workflow.Future {
	in.Owner, in.Call, in.Priority = r.start.Owner, r.start.Call, r.Priority
	return workflow.ExecuteActivity(withHandOver(r.ctx, summaryOf("%s: %s", r.start.Call, what)), contract.ActivityHandOver, in)
}

// awaitHandOver waits for a hand-over to a part. The activity is retried without end; it fails
// only through a defect, and then the caller tries again after a pause.
func (r *laneRun) awaitHandOver(part string, handedOver workflow.Future) error {
	err := handedOver.Get(r.ctx, nil)
	if err == nil {
		return nil
	}
	workflow.GetLogger(r.ctx).Error("hand-over to a part failed and is retried", "part", part, "error", err)
	if slept := workflow.Sleep(r.ctx, time.Minute); slept != nil {
		workflow.GetLogger(r.ctx).Warn("no pause before the retry", "error", slept)
	}
	return err
}

// letsPass reports whether deliveries behind this workflow's own may be sent: its own are
// settled, or their order lets others pass.
func (r *laneRun) letsPass() bool {
	for _, it := range r.Items {
		switch {
		case it.isSettled(), it.Order == "unordered" && len(it.Attempts) > 0:
		case it.Status == contract.StatusParked && it.Order == "skip":
		default:
			return false
		}
	}
	return !r.isHeld()
}

// mayPass reports whether the chain waits for this workflow to pass, and it may.
func (r *laneRun) mayPass() bool {
	return (r.isPart() || r.Next != "") && r.Passed != r.passing() && r.letsPass()
}

// passing names what Passed is once this workflow has passed.
func (r *laneRun) passing() string { return cmp.Or(r.Next, r.Last) }

// pass reports to the lane that this part has passed, and releases the next part: in this order,
// so that the lane gets the reports of its parts in theirs. What is appended meanwhile is not
// meant; it passes later.
func (r *laneRun) pass() {
	passed, report := r.passing(), passedReport{Part: r.start.Part, Last: r.Last, Next: r.Next}
	r.reportResults(signalLaneResult) // the lane's report that it is drained must not overtake these
	if r.isPart() {
		r.reportPassed(report)
	}
	if report.Next != "" {
		err := r.handOver("part "+report.Next+" begins", contract.HandOver{Part: report.Next, Chain: &contract.Chain{Released: true}})
		if err != nil {
			return
		}
	}
	r.Passed = passed
}

func (r *laneRun) reportPassed(report passedReport) {
	lane := contract.DeliveryWorkflowID(r.start.Owner, r.start.Call)
	if err := workflow.SignalExternalWorkflow(r.ctx, lane, "", signalPartPassed, report).Get(r.ctx, nil); err != nil {
		workflow.GetLogger(r.ctx).Warn("the lane of this part is not open", "lane", lane, "error", err)
	}
}

// notePassed notes in the lane that a part has passed. Reports of parts that are not in this
// lane's chain change nothing: a lane that was terminated may have left them.
func (r *laneRun) notePassed(payload []byte) error {
	var report passedReport
	if err := json.Unmarshal(payload, &report); err != nil {
		return unreadable(signalPartPassed, err)
	}
	if report.Next != "" && r.Next != "" && report.Part == r.Next {
		r.Next, r.Passed = report.Next, report.Next
	}
	if report.Next == "" && r.Tail != nil && report.Part == r.Tail.Name {
		r.Finished = &report
	}
	return nil
}

// endChain forgets the parts once the tail has passed with everything that it was given.
func (r *laneRun) endChain() {
	if r.Finished != nil && r.Tail != nil && len(r.Overflow) == 0 && r.Finished.Part == r.Tail.Name && r.Finished.Last == r.Tail.Last {
		r.Next, r.Tail, r.Finished, r.Passed, r.changed = "", nil, nil, "", true
	}
}

// isDone reports whether nothing is left to do for this workflow, nor for the parts behind it.
func (r *laneRun) isDone() bool {
	if !r.isPart() {
		return r.isDrained() && r.Next == ""
	}
	return r.isDrained() && !r.isHeld() && r.Passed == r.passing()
}

func (r *laneRun) workflowOf(part string) string {
	return contract.PartWorkflowID(r.start.Owner, r.start.Call, part)
}

// partIDs answers the query "parts".
func (r *laneRun) partIDs() ([]string, error) {
	if r.Next == "" {
		return []string{}, nil
	}
	return []string{r.workflowOf(r.Next)}, nil
}

// describeChain writes where further deliveries of the lane are, and what a part waits for.
func (r *laneRun) describeChain(text *strings.Builder) {
	lane := r.link(contract.DeliveryWorkflowID(r.start.Owner, r.start.Call), "")
	switch {
	case r.Incomplete:
		fmt.Fprintf(text, "\nThis is a part of the lane %s. An earlier run of this part was ended from outside, so this run waits until what that one held is recovered: "+
			"`segue audit` lists it, and `segue audit --fire` recovers it.\n", lane)
	case r.isHeld():
		fmt.Fprintf(text, "\nThis is a part of the lane %s. It sends once everything before it is sent, discarded, or lets others pass.\n", lane)
	}
	if r.Next != "" {
		fmt.Fprintf(text, "\nFurther deliveries of this lane are in %s and in the parts that follow it. Each part sends once everything before it is sent, discarded, or lets others pass.\n",
			r.link(r.workflowOf(r.Next), ""))
	}
}
