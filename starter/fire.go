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
	"segue/trigger"
	"segue/worker/host"
)

// fireFlags say which call `check --fire` sends, and with what.
type fireFlags struct {
	call, when, interaction string
}

func (f *fireFlags) register(c *cobra.Command) {
	c.Flags().StringVar(&f.call, "fire", "", "send this call once, for real")
	c.Flags().StringVar(&f.when, "when", "", "moment to send it for (default: the first that fires it)")
	c.Flags().StringVar(&f.interaction, "interaction", "", "JSON laid over the sample data: inline, a file, or - for stdin")
}

// fired is what `check --fire --json` prints.
type fired struct {
	OK     bool               `json:"ok"`
	Call   string             `json:"call"`
	Moment interaction.Moment `json:"when"`
	// Request is what was written, or would have been, without secrets.
	Request contract.Request `json:"request"`
	// Written says that the whole request has left.
	Written bool `json:"written"`
	// Protocol is that of the response, and Response the beginning of its body.
	Protocol string           `json:"protocol,omitempty"`
	Response string           `json:"response,omitempty"`
	Outcome  contract.Outcome `json:"outcome"`
	// Next is what would come of the delivery, in words.
	Next string `json:"next"`
}

// fire sends one call as a worker would, and shows what came of it.
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
	trial := check.NewTestCall(set, call, interaction.Moment(f.when))
	if f.interaction != "" {
		data, err := a.textOf(f.interaction)
		if err != nil {
			return err
		}
		if err := trial.Overlay(data); err != nil {
			return usage("--interaction: %w", err)
		}
	}
	sender, err := host.NewSender(set, slog.New(slog.NewTextHandler(a.errs, nil)))
	if err != nil {
		return err
	}
	policy := call.Policy
	policy.DryRun = false // to send it is what was asked for
	rendered := trial.Render("msg_check_" + strings.ToLower(rand.Text()))
	fmt.Fprintf(a.errs, "Sending a real request to %s: the receiver cannot tell it from any other.\n", check.Mask(rendered).URL)
	outcome, seen := sender.SendTraced(ctx, policy, rendered)
	result := fired{
		OK: outcome.Verdict == contract.VerdictDelivered, Call: call.Name, Moment: trial.Event.Moment, Request: check.Mask(seen.Request),
		Written: seen.Written, Protocol: seen.Protocol, Response: seen.Response, Outcome: outcome, Next: next(call, outcome),
	}
	if err := a.print(result, result.write); err != nil {
		return err
	}
	if outcome.Verdict != contract.VerdictInFlight { // else nobody waits for it any more
		if err := sender.Close(ctx); err != nil {
			return err
		}
	}
	if !result.OK {
		return &codedError{exitFailure}
	}
	return nil
}

// knownMoment checks --when, which may be left out.
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

// next says what a worker would do now.
func next(call *config.Call, o contract.Outcome) string {
	text := ""
	switch o.Verdict {
	case contract.VerdictDelivered:
		return "nothing: it is delivered"
	case contract.VerdictInFlight:
		return "the answer was not waited for"
	case contract.VerdictRetry:
		text = fmt.Sprintf("attempt 2 of %d in %s", o.Of, o.RetryIn.Round(time.Millisecond))
	default:
		text = fmt.Sprintf("it is parked, and waits %s for a person: segue redeliver, or segue discard", call.Policy.Retry.Retention)
	}
	if call.Policy.Order == delivery.OrderBlock {
		text += "; later deliveries of this call wait behind it"
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
	answer := f.Outcome.Class
	if f.Outcome.Code != 0 {
		answer = fmt.Sprintf("%s, %s %d %s", f.Outcome.Class, cmp.Or(f.Protocol, "HTTP"), f.Outcome.Code, http.StatusText(f.Outcome.Code))
	}
	line("%s, %d ms", answer, f.Outcome.MS)
	if f.Outcome.Message != "" {
		line("  %s", f.Outcome.Message)
	}
	if f.Response != "" {
		line("  %s", strings.ReplaceAll(printable(f.Response), "\n", "\n  "))
	}
	for _, name := range slices.Sorted(maps.Keys(f.Outcome.Returns)) {
		line("user data: %s = %v", name, f.Outcome.Returns[name])
	}
	line("next: %s", f.Next)
	_, err := io.WriteString(w, b.String())
	return err
}

// printable keeps what a receiver says from moving the terminal's cursor.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\n' && r != '\t' || r >= 0x7f && r < 0xa0 {
			return '\uFFFD'
		}
		return r
	}, text)
}
