package main

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"segue/client"
	"segue/client/feed"
	"segue/config"
	"segue/examples"
	"segue/starter/demo"
)

func (a *app) demoCommand() *cobra.Command {
	d := demoFlags{timeout: 5 * time.Minute, parallel: feed.DefaultParallel}
	c := &cobra.Command{
		Use:   "demo",
		Short: "Play a day of a contact center and check every delivery",
		Long: `Start everything that ` + "`segue dev`" + ` starts, and three receivers on this machine: a CRM that answers 200, a receiver
that answers 503 twice before each 200, and a web-engagement backend that refuses some visitors with 400. Then feed
examples/day.ndjson: the calls, chats, emails and web visits of a whole day. Five percent of its lines are bad.

The demo computes the expected deliveries from the file with the state machine alone, records every request that the
receivers get, and compares the two. The summary shows outcomes, segments, deliveries, the rejected lines, the timeline
of one interaction, and every difference.

With --client, a program of yours plays the day instead, through the API /v1 of the gateway. The shell runs it with the
file on stdin, the URL of the gateway in SEGUE_GATEWAY and the contact center in SEGUE_CONTACT_CENTER. It writes to stdout
what POST /v1/feed answers: {"line":1,"interaction":"ixn-1","status":"accepted"} for each line that is not blank, in any order,
then {"summary":{}}. status is accepted, duplicate, rejected (with "problem":{"detail":"…"}) or unknown. The verdict is the
same as without --client.

Without --exit, everything keeps running until Ctrl-C. With --exit, the demo ends after the summary.

With --no-worker, other processes are the workers: run them with the file of --config-out. A worker that is killed may
repeat a request whose response it did not see; --allow-duplicates accepts identical repeats.

Exit codes with --exit: 0 every line was accepted or rejected as expected, and every delivery arrived once, in order,
with the expected bytes and response; 1 there is a difference, or the demo failed.`,
		Example: `  segue demo
  segue demo --exit --json | jq .deliveries
  segue demo --exit --client 'node examples/httpclient/play.mjs'
  segue demo --exit --client 'curl -sN --data-binary @- "$SEGUE_GATEWAY/v1/feed?contact_center=$SEGUE_CONTACT_CENTER"'
  segue demo --address 127.0.0.1:7233 --no-worker --config-out demo.yaml --allow-duplicates --exit`,
		Args: noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			if err := d.check(c, a); err != nil {
				return err
			}
			d.stack.options = d.stack.config(c)
			err := a.demo(c.Context(), d)
			if d.exit {
				return err
			}
			return quietly(c, err)
		},
	}
	d.stack.register(c)
	flags := c.Flags()
	flags.BoolVar(&d.exit, "exit", false, "end after the summary; the exit code reports the result")
	flags.BoolVar(&d.allowDuplicates, "allow-duplicates", false, "accept identical repeats after the final response")
	flags.DurationVar(&d.timeout, "timeout", d.timeout, "maximum wait for the client, and then for the deliveries")
	flags.StringVar(&d.client, "client", "", "program that plays the day through the gateway, as a command of the shell")
	flags.IntVar(&d.parallel, "parallel", d.parallel, "number of interactions in parallel")
	flags.StringVar(&d.contactCenter, "contact-center", "", "contact center of the interactions (default demo; demo and the time with --db or --address)")
	flags.StringVar(&d.configOut, "config-out", "", "write the generated configuration to this file, for other workers")
	return c
}

type demoFlags struct {
	stack                 stackFlags
	exit, allowDuplicates bool
	timeout               time.Duration
	parallel              int
	contactCenter         string
	configOut             string
	// client is the program that plays the day; "" for the demo's own feed.
	client string
}

func (d *demoFlags) check(c *cobra.Command, a *app) error {
	switch {
	case a.flags.config != "":
		return usage("--config %s: the demo generates its own configuration; leave --config out, or use --config-out FILE to read it", a.flags.config)
	case d.timeout <= 0:
		return usage("--timeout %s: use more than 0s", d.timeout)
	case d.parallel < 1:
		return usage("--parallel %d: use 1 or more", d.parallel)
	case isSet(c, "client") && strings.TrimSpace(d.client) == "":
		return usage("--client %q: name a program", d.client)
	case d.contactCenter != "":
		if err := (client.Name{ContactCenter: d.contactCenter, ID: "any"}).Check(); err != nil {
			return usage("--contact-center: %w", err)
		}
	}
	if d.contactCenter == "" {
		d.contactCenter = "demo"
		if a.external() || d.stack.db != "" {
			// An earlier demo in the same database used the same interaction ids.
			d.contactCenter += time.Now().UTC().Format("-20060102-150405")
		}
	}
	return d.stack.check(c, a.external())
}

// demo starts the receivers and the stack, plays the day, prints the result, and stops both.
func (a *app) demo(ctx context.Context, d demoFlags) error {
	receivers, err := demo.Listen()
	if err != nil {
		return err
	}
	defer receivers.Close()
	set, err := a.demoConfig(receivers, d)
	if err != nil {
		return err
	}
	// The summary lists the bad lines, so the worker does not log them.
	s, err := a.startStack(ctx, d.stack, config.NewStore(set), slog.LevelError)
	if err != nil {
		return err
	}
	if !a.json {
		fmt.Fprintln(a.out, "Playing a day of a contact center.")
		s.describe(a.out)
	}
	err = a.runDay(ctx, s, d, receivers, set)
	return cmp.Or(err, s.Stop())
}

func (a *app) runDay(ctx context.Context, s *stack, d demoFlags, receivers *demo.Receivers, set *config.Set) error {
	dayRun := &demoRun{app: a, stack: s, flags: d, receivers: receivers, set: set, day: examples.Day}
	result, err := dayRun.run(ctx)
	if err != nil {
		return err
	}
	if err := a.print(result, result.write); err != nil {
		return err
	}
	if d.exit {
		if !result.OK {
			return &codedError{exitFailure}
		}
		return nil
	}
	a.printHint("\nEverything keeps running; Ctrl-C stops it. To inspect an interaction:\n  %s show %s/%s%s",
		a.self(), d.contactCenter, result.shown.Name.ID, connectFlags(s.settings))
	return s.Wait(ctx)
}

// demoConfig returns the configuration whose calls go to the receivers, and writes it to --config-out.
func (a *app) demoConfig(receivers *demo.Receivers, d demoFlags) (*config.Set, error) {
	text, err := receivers.Config()
	if err != nil {
		return nil, err
	}
	if d.configOut != "" {
		if err := os.WriteFile(d.configOut, text, 0o644); err != nil {
			return nil, err
		}
	}
	// A versioned worker would get no work before its version is current.
	return config.Parse("demo.yaml", text, a.options(append(d.stack.options, config.WithValue("temporal.build_id", ""))...)...)
}
