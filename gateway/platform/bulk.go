package platform

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"segue/client"
	"segue/client/lanes"
	"segue/contract"
	"segue/gateway/body"
	"segue/gateway/problem"
)

// Bounds of a bulk redelivery.
const (
	usualBulk = 1000
	maxBulk   = 10000
)

// bulkBody selects parked deliveries of a contact center, and says how to send them again.
type bulkBody struct {
	ContactCenter string  `json:"contact_center,omitempty" doc:"The contact center, instead of the header."`
	Call          string  `json:"call,omitempty" maxLength:"255" doc:"Deliveries of this configured call." example:"crm"`
	Since         string  `json:"since,omitempty" doc:"Deliveries whose last attempt is not older: a duration (2h) or a time (2026-01-31T08:00:00Z)." example:"2h"`
	Class         string  `json:"class,omitempty" maxLength:"64" doc:"Deliveries whose last failure is of this class." example:"http_5xx"`
	Rate          float64 `json:"rate,omitempty" minimum:"0" doc:"How many deliveries a second at most. The limits of the calls hold in any case."`
	Rerender      bool    `json:"rerender,omitempty" doc:"Render the requests again with the current configuration."`
	DryRun        bool    `json:"dry_run,omitempty" doc:"Count the deliveries and send nothing."`
	Limit         int     `json:"limit,omitempty" minimum:"1" maximum:"10000" doc:"How many deliveries at most. Default 1,000."`
}

// bulkInput is a request for many deliveries.
type bulkInput struct {
	Scoped
	body bulkBody
}

// Resolve reads and checks the body.
func (in *bulkInput) Resolve(ctx huma.Context) []error {
	filters, err := readObjectBody(ctx, maxCommand)
	if err == nil {
		err = in.read(filters)
	}
	if err != nil {
		return []error{err}
	}
	return nil
}

func (in *bulkInput) read(filters *body.Object) error {
	// A misspelled filter would send more than was meant.
	if err := strictly(filters, &in.body); err != nil {
		return err
	}
	if limit := string(filters.Values["limit"]); limit == "" || limit == "null" {
		in.body.Limit = usualBulk
	}
	switch {
	case in.body.Limit < 1 || in.body.Limit > maxBulk:
		return invalidAt("/limit", fmt.Sprintf("limit: %d: use 1 to %d", in.body.Limit, maxBulk))
	case in.body.Rate < 0:
		return invalidAt("/rate", "rate: use more than 0, or leave it out for no limit")
	case !client.CanFind(in.body.Call):
		return invalidAt("/call", "call: no call has this name")
	}
	return nil
}

// bulkAnswer is what a bulk redelivery did.
type bulkAnswer struct{ Body bulkResult }

type bulkResult struct {
	Matched  int             `json:"matched" doc:"How many deliveries match, up to the limit."`
	Sent     int             `json:"sent" doc:"How many are being sent again."`
	Skipped  int             `json:"skipped" doc:"How many no longer matched when they were next."`
	Failed   int             `json:"failed" doc:"How many could not be sent again, and lanes that did not answer."`
	Failures []lanes.Failure `json:"failures,omitempty" doc:"The first 100 of the failed ones."`
	More     bool            `json:"more" doc:"There is more to do: send the same request again."`
	DryRun   bool            `json:"dry_run,omitempty" doc:"Nothing was sent."`
}

// bulkRoutes registers the redelivery of many deliveries.
func bulkRoutes(a *api) {
	registry := a.huma.OpenAPI().Components.Schemas
	register(a, route{
		id: "redeliver_all", method: http.MethodPost, path: "/deliveries/redeliver", tag: "deliveries", summary: "Send parked deliveries again",
		about: "Sends the parked deliveries of a contact center that match again. It sends as many as it can in a few seconds. While the answer " +
			`has "more": true, send the same request again: deliveries that are no longer parked are skipped.`,
		status: http.StatusOK, problems: []string{problem.UnsupportedMediaType, problem.TooLarge},
		body: schemaOf[bulkBody](registry), example: map[string]any{"call": "crm", "class": "http_5xx", "since": "2h"},
	}, a.redeliverAll)
}

func (a *api) redeliverAll(ctx context.Context, in *bulkInput) (*bulkAnswer, error) {
	s, err := in.list(ctx, in.body.ContactCenter)
	if err == nil {
		err = s.mayOperate()
	}
	if err != nil {
		return nil, err
	}
	filter := lanes.Filter{ContactCenter: s.contactCenter, Call: in.body.Call, Class: in.body.Class, Parked: true}
	if filter.Since, err = sinceOf(in.body.Since, time.Now()); err != nil {
		return nil, err
	}
	found, err := a.search(ctx, filter, in.body.Limit)
	if err != nil {
		return nil, err
	}
	result := lanes.ResultOf(found)
	if result.DryRun = in.body.DryRun; !result.DryRun {
		result, err = a.sendAgain(ctx, filter, found, lanes.Operation{
			Signal: contract.SignalRedeliver, Rerender: in.body.Rerender, Rate: in.body.Rate, By: s.caller.Name,
		})
	}
	if err != nil {
		return nil, err
	}
	return &bulkAnswer{Body: bulkResult{
		Matched: result.Matched, Sent: result.Sent, Skipped: result.Skipped, Failed: result.Failed, Failures: result.Failures,
		More: result.More, DryRun: result.DryRun,
	}}, nil
}

// search finds deliveries for half of the time that is left. If it finds some and not all in that
// time, there are more.
func (a *api) search(ctx context.Context, filter lanes.Filter, limit int) (lanes.Found, error) {
	searching, cancel := within(ctx, 2)
	defer cancel()
	found, err := lanes.Find(searching, a.Client, filter, limit, nil)
	if err != nil && searching.Err() != nil && ctx.Err() == nil && len(found.Deliveries) > 0 {
		found.More, err = true, nil
	}
	return found, err
}

// sendAgain sends what was found, for most of the time that is left. What is left then is more.
func (a *api) sendAgain(ctx context.Context, filter lanes.Filter, found lanes.Found, operation lanes.Operation) (lanes.Result, error) {
	sending, cancel := within(ctx, 1.2)
	defer cancel()
	matched := len(found.Deliveries)
	if most := sendable(sending, operation.Rate); most < matched {
		found.Deliveries, found.More = found.Deliveries[:most], true
	}
	result, err := lanes.Send(sending, a.Client, filter, found, operation)
	result.Matched = matched
	if err != nil && sending.Err() != nil && ctx.Err() == nil && result.Sent+result.Skipped > 0 {
		result.More, err = true, nil
	}
	return result, err
}

// sendable returns how many deliveries a rate allows before the context ends: the first one at once.
func sendable(ctx context.Context, rate float64) int {
	deadline, limited := ctx.Deadline()
	if rate == 0 || !limited {
		return maxBulk
	}
	return int(min(maxBulk, 1+rate*time.Until(deadline).Seconds()))
}

// within returns a context for a part of the time that is left: the whole divided by parts.
func within(ctx context.Context, parts float64) (context.Context, context.CancelFunc) {
	deadline, limited := ctx.Deadline()
	if !limited {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, time.Duration(float64(time.Until(deadline))/parts))
}

// sinceOf reads a duration before now, or a time.
func sinceOf(text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if ago, err := time.ParseDuration(text); err == nil && ago > 0 {
		return now.Add(-ago), nil
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return at, invalidAt("/since", "since: use a duration such as 2h, or a time such as 2026-01-31T08:00:00Z")
	}
	return at, nil
}

// strictly decodes the object into a struct. It returns an error for members that the struct lacks.
func strictly(o *body.Object, into any) error {
	decoder := json.NewDecoder(bytes.NewReader(o.Encode()))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		return invalidAt("", strings.TrimPrefix(err.Error(), "json: "))
	}
	return nil
}
