package workflows

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"go.temporal.io/sdk/workflow"

	"segue/contract"
)

// A lane has to be able to carry everything it holds into its next run, at any time.
// What comes when it holds as much as that goes to a part: another Delivery
// workflow, which keeps it until all before it has had its turn, and then works it
// off as a lane does. Order holds, and nothing is lost, however long a receiver fails.

const (
	// laneSize is how much a lane, or one of its parts, holds, in bytes: with all
	// that it carries besides, it stays within carryLimit.
	laneSize = carryLimit / 2
	// forwardSize is how much goes to a part at once, in bytes: twice as much as comes at
	// once, so that a lane gets rid of it sooner.
	forwardSize = 2 * batchSize
	// itemSize is what a delivery carries besides its request, in bytes: the last
	// attempt, the reason in words, when it is due.
	itemSize = 700
	// askEvery is how often a part asks whether it is its turn, and a lane whether a
	// part has had its own. Each tells the other, unless somebody has terminated it.
	askEvery = 6 * time.Hour
)

// part is one of a lane's, as the lane knows it.
type part struct {
	Name string `json:"name"`
	// Last is the delivery that it was given last.
	Last string `json:"last"`
	// Size is how much it was given in all, in bytes.
	Size int `json:"size"`
	// Released says that it was told to begin.
	Released bool `json:"released,omitempty"`
}

// partReport is what a part tells its lane: that it has had its turn up to the
// delivery Last, or that it waits for it.
type partReport struct {
	Part string `json:"part"`
	Last string `json:"last,omitempty"`
}

// size is what a delivery weighs in what a lane carries, in bytes.
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

// isHeld tells whether it is not this part's turn yet.
func (r *laneRun) isHeld() bool { return r.isPart() && !r.Released }

// overflows tells whether a delivery does not fit any more, or has to go behind one
// that did not.
func (r *laneRun) overflows(request contract.Request) bool {
	if r.isPart() {
		return false // the lane sees to that
	}
	if len(r.Parts)+len(r.Overflow) > 0 {
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

// forward gives the last part what did not fit here.
func (r *laneRun) forward() {
	tail := r.tail()
	batch, bytes, added := 0, 0, 0
	for _, request := range r.Overflow {
		size := sizeOf(request)
		if bytes += request.SizeWithSource(); batch > 0 && bytes > forwardSize || tail.Size > 0 && tail.Size+added+size > laneSize {
			break
		}
		batch++
		added += size
	}
	requests := r.Overflow[:batch:batch]
	r.Overflow = r.Overflow[batch:]
	// Before it is given: a part that says meanwhile that it has had its turn does
	// not mean these.
	tail.Last = requests[batch-1].ID
	in := contract.HandOver{Owner: r.start.Owner, Call: r.start.Call, Requests: requests, Priority: r.Priority, Part: tail.Name}
	summary := summaryOf("%s: %d to part %s", r.start.Call, batch, tail.Name)
	if err := workflow.ExecuteActivity(withHandOver(r.ctx, summary), contract.ActivityHandOver, in).Get(r.ctx, nil); err != nil {
		workflow.GetLogger(r.ctx).Error("forwarding failed, trying again", "part", tail.Name, "error", err)
		r.Overflow = append(requests, r.Overflow...)
		r.pause(time.Minute)
		return
	}
	tail.Size += added
	r.changed = true
}

// pause keeps an error that does not pass from being met again at once.
func (r *laneRun) pause(wait time.Duration) {
	if err := workflow.Sleep(r.ctx, wait); err != nil {
		workflow.GetLogger(r.ctx).Warn("not waited for", "error", err)
	}
}

// tail is the part that takes the next delivery: the last one, or a new one when
// that is full. A part is named after its first delivery, so that no other one of
// the lane's whole life has its name.
func (r *laneRun) tail() *part {
	if n := len(r.Parts); n > 0 && r.Parts[n-1].Size+sizeOf(r.Overflow[0]) <= laneSize {
		return r.Parts[n-1]
	}
	added := &part{Name: r.Overflow[0].ID}
	r.Parts = append(r.Parts, added)
	return added
}

// letsPass tells whether everything here has had its turn, so that what comes behind it
// may have its own: nothing is left, or only what the lane's order lets others pass.
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

// mayRelease tells whether the next part's turn has come.
func (r *laneRun) mayRelease() bool {
	return len(r.Parts) > 0 && !r.Parts[0].Released && r.letsPass()
}

// release tells the next part to begin, or asks it again whether it has had its
// turn. One that is gone was terminated by somebody; the others go on.
func (r *laneRun) release() {
	next := r.Parts[0]
	next.Released = true
	if err := workflow.SignalExternalWorkflow(r.ctx, r.workflowOf(next.Name), "", signalRelease, nil).Get(r.ctx, nil); err != nil {
		workflow.GetLogger(r.ctx).Error("a part is gone", "part", next.Name, "error", err)
		r.drop(next.Name)
	}
}

func (r *laneRun) workflowOf(part string) string {
	return contract.PartWorkflowID(r.start.Owner, r.start.Call, part)
}

// partIDs is the query "parts".
func (r *laneRun) partIDs() ([]string, error) {
	ids := make([]string, 0, len(r.Parts))
	for _, p := range r.Parts {
		ids = append(ids, r.workflowOf(p.Name))
	}
	return ids, nil
}

// takePassed notes that a part has had its turn. When more was forwarded to it
// meanwhile, that may have met a part that had closed: it is released once more.
func (r *laneRun) takePassed(payload []byte) error {
	var passed partReport
	if err := json.Unmarshal(payload, &passed); err != nil {
		return unreadable(signalPartPassed, err)
	}
	for _, s := range r.Parts {
		switch {
		case s.Name != passed.Part:
		case s.Last == passed.Last:
			r.drop(s.Name)
			return nil
		default:
			s.Released = false
			return nil
		}
	}
	return nil
}

// takeWaits hears a part that asks whether it is its turn. One that is not known
// was left behind by a lane that somebody terminated: it need not wait for anybody.
func (r *laneRun) takeWaits(payload []byte) error {
	var waits partReport
	if err := json.Unmarshal(payload, &waits); err != nil {
		return unreadable(signalPartWaits, err)
	}
	for _, s := range r.Parts {
		if s.Name == waits.Part {
			return nil
		}
	}
	r.strangers = append(r.strangers, waits.Part)
	return nil
}

func (r *laneRun) releaseStranger() {
	name := r.strangers[0]
	r.strangers = r.strangers[1:]
	if err := workflow.SignalExternalWorkflow(r.ctx, r.workflowOf(name), "", signalRelease, nil).Get(r.ctx, nil); err != nil {
		workflow.GetLogger(r.ctx).Warn("a part is gone", "part", name, "error", err)
	}
}

// awaitsOther tells whether another workflow of the lane is to be heard of: by a
// part that its turn has come, by the lane that a part has had its own.
func (r *laneRun) awaitsOther() bool {
	return r.isHeld() || len(r.Parts) > 0 && r.Parts[0].Released
}

// ask asks that other one. When nobody is there to answer, it has had its turn.
func (r *laneRun) ask(now time.Time) {
	r.asks = now.Add(askEvery)
	if !r.isHeld() {
		r.release()
		return
	}
	lane := contract.DeliveryWorkflowID(r.start.Owner, r.start.Call)
	waits := partReport{Part: r.start.Part}
	if err := workflow.SignalExternalWorkflow(r.ctx, lane, "", signalPartWaits, waits).Get(r.ctx, nil); err != nil {
		workflow.GetLogger(r.ctx).Warn("the lane is gone, so it is this part's turn", "error", err)
		r.Released = true
	}
}

func (r *laneRun) drop(name string) {
	var kept []*part
	for _, s := range r.Parts {
		if s.Name != name {
			kept = append(kept, s)
		}
	}
	r.Parts, r.changed = kept, true
}

// tellPassed tells the lane that this part has had its turn.
func (r *laneRun) tellPassed() {
	if !r.isPart() || r.Told == r.Last || !r.letsPass() && !r.isDrained() {
		return
	}
	r.Told = r.Last
	lane := contract.DeliveryWorkflowID(r.start.Owner, r.start.Call)
	passed := partReport{Part: r.start.Part, Last: r.Last}
	if err := workflow.SignalExternalWorkflow(r.ctx, lane, "", signalPartPassed, passed).Get(r.ctx, nil); err != nil {
		workflow.GetLogger(r.ctx).Warn("the lane is gone", "error", err)
	}
}

// describeParts tells an operator where the rest is, or what this one waits for.
func (r *laneRun) describeParts(text *strings.Builder) {
	if r.isHeld() {
		fmt.Fprintf(text, "\nThis is a part of the lane `%s`: it begins when all before it has had its turn.\n",
			contract.DeliveryWorkflowID(r.start.Owner, r.start.Call))
	}
	if len(r.Parts) > 0 {
		fmt.Fprintf(text, "\nMore than it can hold waits here. %d further workflows have the rest, the next one `%s`; each begins when all before it has had its turn.\n",
			len(r.Parts), r.workflowOf(r.Parts[0].Name))
	}
}
