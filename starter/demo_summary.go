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

// demoResult is the result of the demo. Its exported fields are what `demo --json` prints.
type demoResult struct {
	OK           bool `json:"ok"`
	Interactions int  `json:"interactions"`
	// Commands counts the lines of the day, Repeated the lines that were sent twice.
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

	rejections []feed.Rejection
	// shown is the interaction whose timeline the summary draws.
	shown    *demo.PlannedInteraction
	timeline []interaction.Span
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

// judge compares the result of the day with the plan.
func (d *demoRun) judge(fed feed.Result, final finalState, timelines map[client.Name]timelineAnswer) *demoResult {
	arrivals := d.receivers.Ledger.Arrivals()
	verdict := demo.Judge(arrivals, d.expected)
	result := &demoResult{
		Interactions: len(d.plan.Interactions), Commands: fed.Lines, Rejected: len(fed.Rejected), Repeated: fed.Duplicates,
		Outcomes: map[string]int{}, Segments: segmentsOf(timelines), Faults: []string{},
		Deliveries: demoDeliveries{
			Expected: verdict.Expected, Delivered: verdict.Delivered, Refused: verdict.Refused, Retried: verdict.Retried,
			Parked: final.parked, Attempts: verdict.Arrivals, Duplicates: verdict.Duplicates,
		},
		Engagements: engagementsOf(arrivals),
		rejections:  fed.Rejected,
	}
	for _, outcome := range final.outcomes {
		result.Outcomes[cmp.Or(outcome, "open")]++
	}
	for _, fault := range verdict.Faults {
		result.Faults = append(result.Faults, fault.String())
	}
	if verdict.Duplicates > 0 && !d.flags.allowDuplicates {
		result.Faults = append(result.Faults, fmt.Sprintf("duplicates: %d requests were repeated after their final response", verdict.Duplicates))
	}
	result.Faults = append(result.Faults, d.lineFaults(fed)...)
	result.Faults = append(result.Faults, d.outcomeFaults(final, verdict.Refused)...)
	result.Faults = append(result.Faults, d.timelineFaults(timelines)...)
	result.OK = len(result.Faults) == 0
	return result
}

func segmentsOf(timelines map[client.Name]timelineAnswer) map[string]int {
	counts := map[string]int{}
	for _, timeline := range timelines {
		for _, span := range timeline.spans {
			counts[string(span.Segment)]++
		}
	}
	return counts
}

// timelineFaults returns the interactions whose timeline differs from the state machine's.
func (d *demoRun) timelineFaults(timelines map[client.Name]timelineAnswer) []string {
	var faults []string
	for _, planned := range d.plan.Interactions {
		timeline := timelines[planned.Name]
		switch {
		case timeline.err != nil:
			faults = append(faults, fmt.Sprintf("query the timeline of %s: %v", planned.Name, timeline.err))
		case !reflect.DeepEqual(timeline.spans, planned.Timeline()):
			faults = append(faults, fmt.Sprintf("the timeline of %s differs from the one that its commands cause", planned.Name))
		}
	}
	return faults
}

// lineFaults returns the lines that Segue accepted and the state machine rejects, and the reverse.
func (d *demoRun) lineFaults(fed feed.Result) []string {
	var faults []string
	rejected := map[int]string{}
	for _, r := range fed.Rejected {
		rejected[r.Line] = r.Reason
		if _, planned := d.plan.Rejected[r.Line]; !planned {
			faults = append(faults, fmt.Sprintf("line %d was rejected and should not have been: %s", r.Line, r.Reason))
		}
	}
	for _, line := range slices.Sorted(maps.Keys(d.plan.Rejected)) {
		if _, was := rejected[line]; !was {
			faults = append(faults, fmt.Sprintf("line %d was not rejected and should have been: %s", line, d.plan.Rejected[line]))
		}
	}
	for _, u := range fed.Unanswered {
		faults = append(faults, fmt.Sprintf("%s did not answer: %s", u.Interaction, u.Reason))
	}
	if fed.Duplicates != d.plan.Duplicates {
		faults = append(faults, fmt.Sprintf("%d lines counted as duplicates, expected %d", fed.Duplicates, d.plan.Duplicates))
	}
	return faults
}

// outcomeFaults returns the interactions whose outcome differs from the state machine's.
func (d *demoRun) outcomeFaults(final finalState, refused int) []string {
	var faults []string
	for _, planned := range d.plan.Interactions {
		want, got := string(planned.Status().Outcome), final.outcomes[planned.Name.ID]
		if got != want {
			faults = append(faults, fmt.Sprintf("interaction %s has outcome %s, expected %s", planned.Name, cmp.Or(got, "none"), want))
		}
	}
	if final.parked != refused {
		faults = append(faults, fmt.Sprintf("%d deliveries are parked, expected %d", final.parked, refused))
	}
	return faults
}

// engagementsOf counts the responses of the engagement backend, one per delivery.
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

// write writes the summary.
func (r *demoResult) write(w io.Writer) error {
	took := time.Duration(r.ElapsedS * float64(time.Second))
	fmt.Fprintf(w, "\n%s interactions with %s commands in %s\n\n", grouped(r.Interactions), grouped(r.Commands), draw.Duration(took))
	fmt.Fprintf(w, "  interactions  %s\n", counted(r.Outcomes))
	fmt.Fprintf(w, "  segments      %s\n", counted(r.Segments))
	d, e := r.Deliveries, r.Engagements
	fmt.Fprintf(w, "  deliveries    %s expected: %s delivered (%s after retries), %s refused and parked, %s duplicates; %s requests in total\n",
		grouped(d.Expected), grouped(d.Delivered), grouped(d.Retried), grouped(d.Parked), grouped(d.Duplicates), grouped(d.Attempts))
	fmt.Fprintf(w, "  engagements   %d started, %d canceled, %d refused\n", e.Started, e.Canceled, e.Refused)
	fmt.Fprintf(w, "  bad lines     %d rejected, %d repeated\n", r.Rejected, r.Repeated)
	writeReasons(w, r.rejections)
	if len(r.timeline) > 0 {
		fmt.Fprintf(w, "\nTimeline of %s:\n\n", r.shown.Name)
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
		fmt.Fprintln(w, "OK: every line was accepted or rejected as expected, and every delivery arrived as expected, apart from identical repeats.")
	case r.OK:
		fmt.Fprintln(w, "OK: every line was accepted or rejected as expected, and every delivery arrived exactly once, in order.")
	default:
		fmt.Fprintf(w, "FAILED: %d differences:\n", len(r.Faults))
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
	// faultsShown and reasonsShown bound what the summary lists.
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

// counted formats counts, the largest first.
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

// grouped formats a number with a comma before each group of three digits.
func grouped(n int) string {
	digits := strconv.Itoa(n)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}
