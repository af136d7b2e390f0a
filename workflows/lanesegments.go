package workflows

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"go.temporal.io/sdk/workflow"

	"segue/dispatch"
)

// A lane has to be able to carry everything it holds into its next run, at any time.
// What comes when it holds as much as that goes to a segment: another Delivery
// workflow, which keeps it until all before it has had its turn, and then works it
// off as a lane does. Order holds, and nothing is lost, however long a receiver fails.

const (
	// laneSize is how much a lane, or one of its segments, holds, in bytes: with all
	// that it carries besides, it stays within carryLimit.
	laneSize = carryLimit / 2
	// itemSize is what a delivery carries besides its request, in bytes: the last
	// attempt, the reason in words, when it is due.
	itemSize = 700
	// askEvery is how often a segment asks whether it is its turn, and a lane whether a
	// segment has had its own. Each tells the other, unless somebody has terminated it.
	askEvery = 6 * time.Hour
)

// segment is one of a lane's, as the lane knows it.
type segment struct {
	Name string `json:"name"`
	// Last is the delivery that it was given last.
	Last string `json:"last"`
	// Size is how much it was given in all, in bytes.
	Size int `json:"size"`
	// Released says that it was told to begin.
	Released bool `json:"released,omitempty"`
}

// segmentReport is what a segment tells its lane: that it has had its turn up to the
// delivery Last, or that it waits for it.
type segmentReport struct {
	Segment string `json:"segment"`
	Last    string `json:"last,omitempty"`
}

// size is what a delivery weighs in what a lane carries, in bytes.
func (it *item) size() int {
	if it.bytes == 0 {
		it.bytes = sizeOf(it.Request)
	}
	return it.bytes
}

func sizeOf(r dispatch.Request) int {
	encoded, err := json.Marshal(r.WithoutSource())
	if err != nil {
		return r.Size() // plain data always encodes
	}
	return itemSize + len(encoded)
}

func (r *laneRun) isSegment() bool { return r.start.Segment != "" }

// isHeld tells whether it is not this segment's turn yet.
func (r *laneRun) isHeld() bool { return r.isSegment() && !r.Released }

// overflows tells whether a delivery does not fit any more, or has to go behind one
// that did not.
func (r *laneRun) overflows(request dispatch.Request) bool {
	if r.isSegment() {
		return false // the lane sees to that
	}
	if len(r.Segments)+len(r.overflow) > 0 {
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

// forward gives the last segment what did not fit here.
func (r *laneRun) forward() {
	tail := r.tail()
	batch, bytes, added := 0, 0, 0
	for _, request := range r.overflow {
		size := sizeOf(request)
		if bytes += request.SizeWithSource(); batch > 0 && bytes > batchSize || tail.Size > 0 && tail.Size+added+size > laneSize {
			break
		}
		batch++
		added += size
	}
	requests := r.overflow[:batch:batch]
	r.overflow = r.overflow[batch:]
	// Before it is given: a segment that says meanwhile that it has had its turn does
	// not mean these.
	tail.Last = requests[batch-1].ID
	in := dispatch.HandOver{Owner: r.start.Owner, Call: r.start.Call, Requests: requests, Segment: tail.Name}
	summary := summaryOf("%s: %d to segment %s", r.start.Call, batch, tail.Name)
	if err := workflow.ExecuteActivity(withHandOver(r.ctx, summary), dispatch.ActivityHandOver, in).Get(r.ctx, nil); err != nil {
		workflow.GetLogger(r.ctx).Error("forwarding failed, trying again", "segment", tail.Name, "error", err)
		r.overflow = append(requests, r.overflow...)
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

// tail is the segment that takes the next delivery: the last one, or a new one when
// that is full. A segment is named after its first delivery, so that no other one of
// the lane's whole life has its name.
func (r *laneRun) tail() *segment {
	if n := len(r.Segments); n > 0 && r.Segments[n-1].Size+sizeOf(r.overflow[0]) <= laneSize {
		return r.Segments[n-1]
	}
	s := &segment{Name: r.overflow[0].ID}
	r.Segments = append(r.Segments, s)
	return s
}

// letsPass tells whether everything here has had its turn, so that what comes behind it
// may have its own: nothing is left, or only what the lane's order lets others pass.
func (r *laneRun) letsPass() bool {
	for _, it := range r.Items {
		switch {
		case it.isSettled(), it.Order == "unordered" && len(it.Attempts) > 0:
		case it.Status == dispatch.StatusParked && it.Order == "skip":
		default:
			return false
		}
	}
	return !r.isHeld()
}

// mayRelease tells whether the next segment's turn has come.
func (r *laneRun) mayRelease() bool {
	return len(r.Segments) > 0 && !r.Segments[0].Released && r.letsPass()
}

// release tells the next segment to begin, or asks it again whether it has had its
// turn. One that is gone was terminated by somebody; the others go on.
func (r *laneRun) release() {
	next := r.Segments[0]
	next.Released = true
	if err := workflow.SignalExternalWorkflow(r.ctx, r.workflowOf(next.Name), "", signalRelease, nil).Get(r.ctx, nil); err != nil {
		workflow.GetLogger(r.ctx).Error("a segment is gone", "segment", next.Name, "error", err)
		r.drop(next.Name)
	}
}

func (r *laneRun) workflowOf(segment string) string {
	return dispatch.SegmentWorkflowID(r.start.Owner, r.start.Call, segment)
}

// takePassed notes that a segment has had its turn. When more was forwarded to it
// meanwhile, that may have met a segment that had closed: it is released once more.
func (r *laneRun) takePassed(payload []byte) error {
	var passed segmentReport
	if err := json.Unmarshal(payload, &passed); err != nil {
		return fmt.Errorf("%s: %w", signalSegmentPassed, err)
	}
	for _, s := range r.Segments {
		switch {
		case s.Name != passed.Segment:
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

// takeWaits hears a segment that asks whether it is its turn. One that is not known
// was left behind by a lane that somebody terminated: it need not wait for anybody.
func (r *laneRun) takeWaits(payload []byte) error {
	var waits segmentReport
	if err := json.Unmarshal(payload, &waits); err != nil {
		return fmt.Errorf("%s: %w", signalSegmentWaits, err)
	}
	for _, s := range r.Segments {
		if s.Name == waits.Segment {
			return nil
		}
	}
	r.strangers = append(r.strangers, waits.Segment)
	return nil
}

func (r *laneRun) releaseStranger() {
	name := r.strangers[0]
	r.strangers = r.strangers[1:]
	if err := workflow.SignalExternalWorkflow(r.ctx, r.workflowOf(name), "", signalRelease, nil).Get(r.ctx, nil); err != nil {
		workflow.GetLogger(r.ctx).Warn("a segment is gone", "segment", name, "error", err)
	}
}

// awaitsOther tells whether another workflow of the lane is to be heard of: by a
// segment that its turn has come, by the lane that a segment has had its own.
func (r *laneRun) awaitsOther() bool {
	return r.isHeld() || len(r.Segments) > 0 && r.Segments[0].Released
}

// ask asks that other one. When nobody is there to answer, it has had its turn.
func (r *laneRun) ask(now time.Time) {
	r.asks = now.Add(askEvery)
	if !r.isHeld() {
		r.release()
		return
	}
	lane := dispatch.DeliveryWorkflowID(r.start.Owner, r.start.Call)
	waits := segmentReport{Segment: r.start.Segment}
	if err := workflow.SignalExternalWorkflow(r.ctx, lane, "", signalSegmentWaits, waits).Get(r.ctx, nil); err != nil {
		workflow.GetLogger(r.ctx).Warn("the lane is gone, so it is this segment's turn", "error", err)
		r.Released = true
	}
}

func (r *laneRun) drop(name string) {
	var kept []*segment
	for _, s := range r.Segments {
		if s.Name != name {
			kept = append(kept, s)
		}
	}
	r.Segments, r.changed = kept, true
}

// tellPassed tells the lane that this segment has had its turn.
func (r *laneRun) tellPassed() {
	if !r.isSegment() || r.Told == r.Last || !r.letsPass() && !r.isDrained() {
		return
	}
	r.Told = r.Last
	lane := dispatch.DeliveryWorkflowID(r.start.Owner, r.start.Call)
	passed := segmentReport{Segment: r.start.Segment, Last: r.Last}
	if err := workflow.SignalExternalWorkflow(r.ctx, lane, "", signalSegmentPassed, passed).Get(r.ctx, nil); err != nil {
		workflow.GetLogger(r.ctx).Warn("the lane is gone", "error", err)
	}
}

// cancelSegments gives up what segments hold: the lane was canceled.
func (r *laneRun) cancelSegments() {
	for _, s := range r.Segments {
		if err := workflow.RequestCancelExternalWorkflow(r.ctx, r.workflowOf(s.Name), "").Get(r.ctx, nil); err != nil {
			workflow.GetLogger(r.ctx).Warn("a segment is gone", "segment", s.Name, "error", err)
		}
	}
	r.Segments = nil
}

// describeSegments tells an operator where the rest is, or what this one waits for.
func (r *laneRun) describeSegments(text *strings.Builder) {
	if r.isHeld() {
		fmt.Fprintf(text, "\nThis is a segment of the lane `%s`: it begins when all before it has had its turn.\n",
			dispatch.DeliveryWorkflowID(r.start.Owner, r.start.Call))
	}
	if len(r.Segments) > 0 {
		fmt.Fprintf(text, "\nMore than it can hold waits here. %d further workflows have the rest, the next one `%s`; each begins when all before it has had its turn.\n",
			len(r.Segments), r.workflowOf(r.Segments[0].Name))
	}
}
