package main

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"os"
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
		Short: "Play a day of a contact center, and check every delivery",
		Long: `Run everything that ` + "`segue dev`" + ` runs, and three receivers on this machine: a healthy CRM, one that answers 503
twice before each 200, and a web-engagement backend that turns some visitors away. Then play examples/day.ndjson:
calls, chats, emails and web visits of a whole day, with five bad lines in a hundred.

What must arrive is worked out from the file by the state machine alone; the receivers keep a ledger of what did
arrive. With --exit the demo ends after the summary, with exit code 0 only if every line was judged as it should
be and every delivery arrived exactly as it should: once, in order, with the right bytes and the right answer.

With --no-worker other processes are the workers; give them the file of --config-out. A worker that is killed
cannot know what its receiver has seen: --allow-duplicates allows identical repeats.`,
		Example: `  segue demo
  segue demo --exit --json | jq .deliveries
  segue demo --address 127.0.0.1:7233 --no-worker --config-out demo.yaml --allow-duplicates --exit`,
		Args: noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			if err := d.check(c, a); err != nil {
				return err
			}
			err := a.demo(c.Context(), d)
			if d.exit {
				return err
			}
			return quietly(c, err)
		},
	}
	d.stack.register(c)
	flags := c.Flags()
	flags.BoolVar(&d.exit, "exit", false, "end after the summary; the exit code is the verdict")
	flags.BoolVar(&d.allowDuplicates, "allow-duplicates", false, "identical repeats after a success are no flaw")
	flags.DurationVar(&d.timeout, "timeout", d.timeout, "how long to wait for the deliveries")
	flags.IntVar(&d.parallel, "parallel", d.parallel, "how many interactions at once")
	flags.StringVar(&d.contactCenter, "contact-center", "", "contact center to play in (default: demo, with the time where other demos may be)")
	flags.StringVar(&d.configOut, "config-out", "", "write the generated configuration to this file, for workers elsewhere")
	return c
}

type demoFlags struct {
	stack                 stackFlags
	exit, allowDuplicates bool
	timeout               time.Duration
	parallel              int
	contactCenter         string
	configOut             string
}

func (d *demoFlags) check(c *cobra.Command, a *app) error {
	switch {
	case a.flags.config != "":
		return usage("--config %s: the demo makes its own configuration; --config-out FILE writes it down", a.flags.config)
	case d.timeout <= 0:
		return usage("--timeout %s: use more than 0s", d.timeout)
	case d.parallel < 1:
		return usage("--parallel %d: use 1 or more", d.parallel)
	case d.contactCenter != "":
		if err := (client.Name{ContactCenter: d.contactCenter, ID: "any"}).Check(); err != nil {
			return usage("--contact-center: %w", err)
		}
	}
	if d.contactCenter == "" {
		d.contactCenter = "demo"
		if a.external() || d.stack.db != "" {
			// What an earlier demo left there has the same interaction ids.
			d.contactCenter += time.Now().UTC().Format("-20060102-150405")
		}
	}
	return d.stack.check(c, a.external())
}

// demo runs from the receivers to the verdict.
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
	// The day's bad lines are in the summary; the worker need not log them as well.
	s, err := a.startStack(ctx, d.stack, config.NewStore(set), slog.LevelError)
	if err != nil {
		return err
	}
	if !a.json {
		fmt.Fprintln(a.out, "Playing a day of a contact center.")
		s.describe(a.out)
	}
	err = a.playAndStay(ctx, s, d, receivers, set)
	return cmp.Or(err, s.segue.Stop())
}

func (a *app) playAndStay(ctx context.Context, s *stack, d demoFlags, receivers *demo.Receivers, set *config.Set) error {
	p := &play{app: a, stack: s, flags: d, receivers: receivers, set: set, day: examples.Day}
	result, err := p.runWhileUp(ctx)
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
	a.say("\nEverything stays up to look around; Ctrl-C stops it. For example:\n  %s show %s/%s%s",
		a.self(), d.contactCenter, result.drawn.Name.ID, elsewhere(s.settings))
	return s.segue.Wait(ctx)
}

// demoConfig is the configuration that points at the receivers.
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
	// A versioned worker would get nothing before somebody makes its version current.
	return config.Parse("demo.yaml", text, a.options(d.stack.metricsOption(), config.WithValue("temporal.build_id", ""))...)
}
