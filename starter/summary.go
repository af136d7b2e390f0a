package main

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"segue/client"
	"segue/client/feed"
	"segue/interaction"
	"segue/starter/demo"
	"segue/starter/draw"
)

// demoResult is what the demo prints.
type demoResult struct {
	OK           bool `json:"ok"`
	Interactions int  `json:"interactions"`
	// Commands counts the lines of the day, Repeated those that came twice.
	Commands    int             `json:"commands"`
	Rejected    int             `json:"rejected"`
	Repeated    int             `json:"repeated"`
	Outcomes    map[string]int  `json:"outcomes"`
	Segments    map[string]int  `json:"segments"`
	Deliveries  demoDeliveries  `json:"deliveries"`
	Engagements demoEngagements `json:"engagements"`
	Faults      []string        `json:"faults"`
	ElapsedS    float64         `json:"elapsed_s"`
	TemporalUI  string          `json:"temporal_ui"`
	rejections  []feed.Rejection
	drawn       *demo.Course
	timeline    []interaction.Span
}

type demoDeliveries struct {
	Expected   int `json:"expected"`
	Delivered  int `json:"delivered"`
	Refused    int `json:"refused"`
	Retried    int `json:"retried"`
	Parked     int `json:"parked"`
	Attempts   int `json:"attempts"`
	Duplicates int `json:"duplicates"`
}

type demoEngagements struct {
	Started  int `json:"started"`
	Canceled int `json:"canceled"`
	Refused  int `json:"refused"`
}

// compare holds what came of the day against what had to.
func (p *play) compare(fed feed.Result, ended ends, timelines map[client.Name]told) *demoResult {
	arrivals := p.receivers.Ledger.Arrivals()
	verdict := demo.Judge(arrivals, p.expected)
	result := &demoResult{
		Interactions: len(p.plan.Courses), Commands: fed.Lines, Rejected: len(fed.Rejected), Repeated: fed.Duplicates,
		Outcomes: map[string]int{}, Segments: segmentsOf(timelines), Faults: []string{},
		Deliveries: demoDeliveries{
			Expected: verdict.Expected, Delivered: verdict.Delivered, Refused: verdict.Refused, Retried: verdict.Retried,
			Parked: ended.parked, Attempts: verdict.Arrivals, Duplicates: verdict.Duplicates,
		},
		Engagements: engagementsOf(arrivals),
		rejections:  fed.Rejected,
	}
	for _, outcome := range ended.outcomes {
		result.Outcomes[cmp.Or(outcome, "open")]++
	}
	for _, fault := range verdict.Faults {
		result.Faults = append(result.Faults, fault.String())
	}
	if verdict.Duplicates > 0 && !p.flags.allowDuplicates {
		result.Faults = append(result.Faults, fmt.Sprintf("duplicates: %d requests came again after their final answer", verdict.Duplicates))
	}
	result.Faults = append(result.Faults, p.linesAmiss(fed)...)
	result.Faults = append(result.Faults, p.endsAmiss(ended, verdict.Refused)...)
	result.Faults = append(result.Faults, p.timelinesAmiss(timelines)...)
	result.OK = len(result.Faults) == 0
	return result
}

func segmentsOf(timelines map[client.Name]told) map[string]int {
	counts := map[string]int{}
	for _, timeline := range timelines {
		for _, span := range timeline.spans {
			counts[string(span.Segment)]++
		}
	}
	return counts
}

// timelinesAmiss are the interactions that tell another story than the state
// machine does.
func (p *play) timelinesAmiss(timelines map[client.Name]told) []string {
	var amiss []string
	for _, course := range p.plan.Courses {
		timeline := timelines[course.Name]
		switch {
		case timeline.err != nil:
			amiss = append(amiss, fmt.Sprintf("the timeline of %s could not be asked for: %v", course.Name, timeline.err))
		case !reflect.DeepEqual(timeline.spans, course.Timeline()):
			amiss = append(amiss, fmt.Sprintf("the timeline of %s is not what its commands give", course.Name))
		}
	}
	return amiss
}

// linesAmiss are the lines that Segue judged otherwise than the state machine.
func (p *play) linesAmiss(fed feed.Result) []string {
	var amiss []string
	rejected := map[int]string{}
	for _, r := range fed.Rejected {
		rejected[r.Line] = r.Reason
		if _, planned := p.plan.Rejected[r.Line]; !planned {
			amiss = append(amiss, fmt.Sprintf("line %d was rejected and should not have been: %s", r.Line, r.Reason))
		}
	}
	for _, line := range slices.Sorted(maps.Keys(p.plan.Rejected)) {
		if _, was := rejected[line]; !was {
			amiss = append(amiss, fmt.Sprintf("line %d was not rejected and should have been: %s", line, p.plan.Rejected[line]))
		}
	}
	for _, u := range fed.Unanswered {
		amiss = append(amiss, fmt.Sprintf("%s did not answer: %s", u.Interaction, u.Reason))
	}
	if fed.Duplicates != p.plan.Duplicates {
		amiss = append(amiss, fmt.Sprintf("%d lines counted as duplicates, not %d", fed.Duplicates, p.plan.Duplicates))
	}
	return amiss
}

// endsAmiss are the interactions that ended otherwise than the state machine says.
func (p *play) endsAmiss(ended ends, refused int) []string {
	var amiss []string
	for _, course := range p.plan.Courses {
		want, got := string(course.Status().Outcome), ended.outcomes[course.Name.ID]
		if got != want {
			amiss = append(amiss, fmt.Sprintf("interaction %s ended %s, not %s", course.Name, cmp.Or(got, "not at all"), want))
		}
	}
	if ended.parked != refused {
		amiss = append(amiss, fmt.Sprintf("%d deliveries are parked, not %d", ended.parked, refused))
	}
	return amiss
}

// engagementsOf counts what the engagement backend answered, each delivery once.
func engagementsOf(arrivals []demo.Arrival) demoEngagements {
	var e demoEngagements
	seen := map[string]bool{}
	for _, a := range arrivals {
		if seen[a.ID] || !strings.HasPrefix(a.Endpoint, demo.ReceiverEngagement+" ") || a.Status/100 == 5 {
			continue
		}
		seen[a.ID] = true
		switch {
		case a.Status == 400:
			e.Refused++
		case strings.HasSuffix(a.Endpoint, "/noengage"):
			e.Canceled++
		default:
			e.Started++
		}
	}
	return e
}

// write is the summary that a person reads at a glance.
func (r *demoResult) write(w io.Writer) error {
	took := time.Duration(r.ElapsedS * float64(time.Second))
	fmt.Fprintf(w, "\n%s interactions with %s commands in %s\n\n", grouped(r.Interactions), grouped(r.Commands), draw.Duration(took))
	fmt.Fprintf(w, "  interactions  %s\n", counted(r.Outcomes))
	fmt.Fprintf(w, "  segments      %s\n", counted(r.Segments))
	d, e := r.Deliveries, r.Engagements
	fmt.Fprintf(w, "  deliveries    %s expected: %s delivered, %s of them after retries, %s refused and parked, %s duplicates; %s requests in all\n",
		grouped(d.Expected), grouped(d.Delivered), grouped(d.Retried), grouped(d.Parked), grouped(d.Duplicates), grouped(d.Attempts))
	fmt.Fprintf(w, "  engagements   %d started, %d canceled, %d refused\n", e.Started, e.Canceled, e.Refused)
	fmt.Fprintf(w, "  bad lines     %d rejected, %d repeated\n", r.Rejected, r.Repeated)
	writeReasons(w, r.rejections)
	if len(r.timeline) > 0 {
		fmt.Fprintf(w, "\nOne of them, %s:\n\n", r.drawn.Name)
		if err := writeTimeline(w, r.timeline, time.Now()); err != nil {
			return err
		}
	}
	return r.writeVerdict(w)
}

func (r *demoResult) writeVerdict(w io.Writer) error {
	fmt.Fprintln(w)
	switch {
	case r.OK && r.Deliveries.Duplicates > 0:
		fmt.Fprintln(w, "Every line was judged as it should be, and every delivery arrived as it should, but for identical repeats.")
	case r.OK:
		fmt.Fprintln(w, "Every line was judged as it should be, and every delivery arrived exactly as it should.")
	default:
		fmt.Fprintf(w, "%d things are not as they should be:\n", len(r.Faults))
		for i, fault := range r.Faults {
			if i == faultsShown {
				fmt.Fprintf(w, "  … and %d more (--json lists all)\n", len(r.Faults)-i)
				break
			}
			fmt.Fprintf(w, "  %s\n", fault)
		}
	}
	if r.TemporalUI == "" {
		return nil
	}
	_, err := fmt.Fprintf(w, "Temporal UI: %s\n", r.TemporalUI)
	return err
}

const (
	faultsShown  = 15
	reasonsShown = 10
)

// writeReasons lists why lines were rejected, the most frequent first.
func writeReasons(w io.Writer, rejections []feed.Rejection) {
	counts := map[string]int{}
	for _, r := range rejections {
		reason, _, _ := strings.Cut(r.Reason, "; ")
		if _, rest, found := strings.Cut(reason, r.Interaction+": "); found {
			reason = r.Command + ": " + rest
		}
		counts[reason]++
	}
	for i, reason := range byCount(counts) {
		if i == reasonsShown {
			fmt.Fprintf(w, "      … and %d other reasons\n", len(counts)-i)
			return
		}
		fmt.Fprintf(w, "   %3d× %s\n", counts[reason], reason)
	}
}

// counted writes counts, the largest first.
func counted(counts map[string]int) string {
	var parts []string
	for _, name := range byCount(counts) {
		parts = append(parts, grouped(counts[name])+" "+name)
	}
	return strings.Join(parts, ", ")
}

func byCount(counts map[string]int) []string {
	return slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a, b))
	})
}

// grouped writes a number with its thousands apart.
func grouped(n int) string {
	digits := strconv.Itoa(n)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}
