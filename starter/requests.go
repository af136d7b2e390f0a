package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/spf13/cobra"

	"segue/client"
	"segue/client/lanes"
	"segue/contract"
	"segue/excerpt"
	"segue/starter/draw"
)

const (
	// shownRequests is how many requests are printed, and shownBody how many bytes of each body, without --full.
	shownRequests = 5
	shownBody     = 600
)

func fullFlag(c *cobra.Command, full *bool) {
	c.Flags().BoolVar(full, "full", false, "print the requests of all deliveries, with their whole bodies")
}

// bodyLimit returns how many bytes of a body are shown; 0 is all.
func bodyLimit(full bool) int {
	if full {
		return 0
	}
	return shownBody
}

// detailsOf adds the requests and responses of an interaction's deliveries. If the histories that have them cannot be
// read, it says so on stderr.
func (a *app) detailsOf(ctx context.Context, c *client.Client, n client.Name, records []contract.DeliveryRecord, full bool) []contract.DeliveryDetail {
	found, err := c.Exchanges(ctx, n, records)
	if err != nil {
		fmt.Fprintf(a.errs, "The requests of the deliveries could not be read: %s\n", err)
	}
	details := make([]contract.DeliveryDetail, len(records))
	for i, record := range records {
		details[i].DeliveryRecord = record
		if err == nil {
			details[i].DeliveryExchange = found[record.ID].Shown(record, bodyLimit(full))
		}
	}
	return details
}

// laneDetail is a delivery of a lane. `deliveries --json` prints it.
type laneDetail struct {
	lanes.Delivery
	contract.DeliveryExchange
}

// laneDetails adds the requests and responses of deliveries, which it reads from the histories of their interaction or of
// their lanes.
func (a *app) laneDetails(ctx context.Context, s *session, deliveries []lanes.Delivery, full bool) []laneDetail {
	limitedCtx, cancel := limited(ctx)
	defer cancel()
	details := make([]laneDetail, len(deliveries))
	histories := map[string]map[string]client.Exchange{}
	var failed error
	for i, d := range deliveries {
		details[i].Delivery = d
		lane := d.Lane()
		lane.RunID = d.RunID
		key := lane.WorkflowID + " " + lane.RunID
		found, read := histories[key]
		if !read && failed == nil {
			found, failed = s.LaneExchanges(limitedCtx, lane)
			histories[key] = found
		}
		if found != nil {
			details[i].DeliveryExchange = found[d.ID].Shown(d.DeliveryRecord, bodyLimit(full))
		}
	}
	if failed != nil {
		fmt.Fprintf(a.errs, "The requests of the deliveries could not be read: %s\n", failed)
	}
	return details
}

// writeRequests prints the requests and responses of deliveries: those that are not delivered first, and a few if not full.
func writeRequests(w io.Writer, details []contract.DeliveryDetail, full bool) error {
	p := &requestPrinter{w: w}
	var inline, missing int
	var chosen, delivered []contract.DeliveryDetail
	for _, d := range details {
		switch {
		case d.Request == nil && d.NotKept == client.SentInline:
			inline++
		case d.Request == nil && d.NotKept != "":
			missing++
		case d.Request == nil:
		case d.Status == contract.StatusDelivered || d.Status == contract.StatusDiscarded:
			delivered = append(delivered, d)
		default:
			chosen = append(chosen, d)
		}
	}
	chosen = append(chosen, delivered...)
	left := 0
	if !full {
		left = max(0, len(chosen)-shownRequests)
	}
	for _, d := range chosen[:len(chosen)-left] {
		p.delivery(d, full)
	}
	if left > 0 || inline > 0 || missing > 0 {
		p.line("")
	}
	if left > 0 {
		p.line("%s not shown: use --full, or name a delivery with `segue deliveries ID --id WEBHOOK-ID`.", numbered(left, "more request is", "more requests are"))
	}
	if inline > 0 {
		p.line("%s not on record: sent within the workflow task, where only the result is kept. `segue check` shows what a call sends, with sample data.",
			numbered(inline, "request is", "requests are"))
	}
	if missing > 0 {
		p.line("%s not on record any more: Temporal has deleted the history.", numbered(missing, "request is", "requests are"))
	}
	return p.err
}

// numbered writes a number with its noun and verb.
func numbered(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// requestPrinter remembers the first error of many writes.
type requestPrinter struct {
	w   io.Writer
	err error
}

func (p *requestPrinter) line(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.w, format+"\n", args...)
	}
}

func (p *requestPrinter) delivery(d contract.DeliveryDetail, full bool) {
	r := d.Request
	p.line("\n%s: call %s for event %d (%s), %s", d.ID, d.Call, d.Sequence, d.Moment, d.Status)
	if r.Fault != "" {
		p.line("  not rendered: %s", draw.Printable(r.Fault))
	}
	if r.Method != "" {
		p.line("  %s %s", r.Method, draw.Printable(r.URL))
	}
	for _, h := range r.Headers {
		p.line("  %s: %s", h.Name, draw.Printable(h.Value))
	}
	if r.Body != "" {
		p.line("\n  %s", indented(draw.Printable(r.Body)))
		if more := r.BodyBytes - len(r.Body); more > 0 && !full {
			p.line("  … %d more bytes: --full", more)
		}
	}
	if answer := d.Response; answer != nil {
		p.line("\n  %s", answerLine(*answer))
		if answer.Excerpt != "" {
			p.line("  %s", indented(draw.Printable(answer.Excerpt)))
		}
	}
}

// answerLine describes the result of an attempt in one line.
func answerLine(answer contract.SentResponse) string {
	text := answer.Class
	if answer.Code != 0 {
		text = strings.TrimSpace(fmt.Sprintf("%d %s", answer.Code, http.StatusText(answer.Code))) + ", " + answer.Class
	}
	if answer.At != "" {
		text += " at " + localTime(answer.At)
	}
	text += fmt.Sprintf(", %d ms", answer.MS)
	if answer.Why != "" && answer.Why != fmt.Sprintf("HTTP %d %s", answer.Code, http.StatusText(answer.Code)) {
		text += ": " + draw.Printable(excerpt.Of(answer.Why, 300))
	}
	return text
}

func indented(text string) string { return strings.ReplaceAll(text, "\n", "\n  ") }
