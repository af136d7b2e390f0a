package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"segue/config"
	"segue/config/check"
	"segue/contract"
	"segue/delivery"
	"segue/expr"
	"segue/interaction"
	"segue/starter/draw"
	"segue/trigger"
	"segue/worker/host"
)

// fireFlags are the call that `check --fire` sends, and its data.
type fireFlags struct {
	call, when, interaction string
}

func (f *fireFlags) register(c *cobra.Command) {
	c.Flags().StringVar(&f.call, "fire", "", "send one real request of this call")
	c.Flags().StringVar(&f.when, "when", "", "with --fire: moment of the request (default: the first that fires the call)")
	c.Flags().StringVar(&f.interaction, "interaction", "", "with --fire: JSON that overrides sample data: inline, a file's name, or - for stdin")
}

// fired is what `check --fire --json` prints.
type fired struct {
	OK     bool               `json:"ok"`
	Call   string             `json:"call"`
	Moment interaction.Moment `json:"when"`
	// Request is the request without secrets, as it was or would have been written.
	Request contract.Request `json:"request"`
	// Written is true if the whole request was written.
	Written bool `json:"written"`
	// Protocol is the protocol of the response. Response is the beginning of its body.
	Protocol string           `json:"protocol,omitempty"`
	Response string           `json:"response,omitempty"`
	Outcome  contract.Outcome `json:"outcome"`
	// Next is what a worker would do next, as text.
	Next string `json:"next"`
}

// fire sends one request as a worker would, and prints its outcome.
func (a *app) fire(ctx context.Context, set *config.Set, f fireFlags) error {
	call, ok := set.Call(f.call)
	if !ok {
		var names []string
		for _, c := range set.Calls() {
			names = append(names, c.Name)
		}
		return usage("--fire %q: there is no such call; %s", f.call, expr.Suggest(f.call, names))
	}
	if err := knownMoment(f.when); err != nil {
		return err
	}
	test := check.NewTestCall(set, call, interaction.Moment(f.when))
	if f.interaction != "" {
		data, err := a.textOf(f.interaction)
		if err != nil {
			return err
		}
		if err := test.Overlay(data); err != nil {
			return usage("--interaction: %w", err)
		}
	}
	sender, err := host.NewSender(set, slog.New(slog.NewTextHandler(a.errs, nil)))
	if err != nil {
		return err
	}
	policy := call.Policy
	policy.DryRun = false // the user asked to send it
	rendered := test.Render("msg_check_" + strings.ToLower(rand.Text()))
	if rendered.Fault == "" {
		fmt.Fprintf(a.errs, "Sending a real request to %s: the receiver cannot distinguish it from any other.\n", check.Mask(rendered).URL)
	}
	outcome, seen := sender.SendTraced(ctx, policy, rendered)
	result := fired{
		OK: outcome.Verdict == contract.VerdictDelivered, Call: call.Name, Moment: test.Event.Moment, Request: check.Mask(seen.Request),
		Written: seen.Written, Protocol: seen.Protocol, Response: seen.Response, Outcome: outcome, Next: next(call, outcome),
	}
	if err := a.print(result, result.write); err != nil {
		return err
	}
	if outcome.Verdict != contract.VerdictInFlight { // an attempt in flight is not waited for
		if err := sender.Close(ctx); err != nil {
			return err
		}
	}
	if !result.OK {
		return &codedError{exitFailure}
	}
	return nil
}

// knownMoment checks --when, which is optional.
func knownMoment(when string) error {
	var names []string
	for _, moment := range trigger.Moments() {
		names = append(names, string(moment))
	}
	if when == "" || slices.Contains(names, when) {
		return nil
	}
	return usage("--when %q is not a moment; %s", when, expr.Suggest(when, names))
}

// next returns what a worker would do next.
func next(call *config.Call, o contract.Outcome) string {
	text := ""
	switch o.Verdict {
	case contract.VerdictDelivered:
		return "nothing: the request is delivered"
	case contract.VerdictInFlight:
		return "unknown: the command did not wait for the response"
	case contract.VerdictRetry:
		text = fmt.Sprintf("attempt 2 of %d in %s", o.Of, o.RetryIn.Round(time.Millisecond))
	default:
		text = fmt.Sprintf("parked for %s, until an operator uses segue redeliver or segue discard", call.Policy.Retry.Retention)
	}
	if call.Policy.Order == delivery.OrderBlock {
		text += "; later deliveries of this call for the interaction wait"
	}
	return text
}

func (f fired) write(w io.Writer) error {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("call %s at %s", f.Call, f.Moment)
	line("  %s %s", f.Request.Method, f.Request.URL)
	for _, h := range f.Request.Headers {
		line("  %s: %s", h.Name, h.Value)
	}
	if f.Request.Body != "" {
		line("\n  %s", strings.ReplaceAll(f.Request.Body, "\n", "\n  "))
	}
	line("")
	result := f.Outcome.Class
	if f.Outcome.Code != 0 {
		result = fmt.Sprintf("%s, %s %d %s", f.Outcome.Class, cmp.Or(f.Protocol, "HTTP"), f.Outcome.Code, http.StatusText(f.Outcome.Code))
	}
	line("%s, %d ms", result, f.Outcome.MS)
	if f.Outcome.Message != "" {
		line("  %s", f.Outcome.Message)
	}
	if f.Response != "" {
		line("  %s", strings.ReplaceAll(draw.Printable(f.Response), "\n", "\n  "))
	}
	for _, name := range slices.Sorted(maps.Keys(f.Outcome.Returns)) {
		line("user data: %s = %v", name, f.Outcome.Returns[name])
	}
	line("next: %s", f.Next)
	_, err := io.WriteString(w, b.String())
	return err
}
