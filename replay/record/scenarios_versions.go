package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.temporal.io/sdk/client"

	"segue/config"
	"segue/interaction"
)

// versions are paths that go over to a newer version of the workers: a mail with its next
// task, a call when its run continues as new.
var versions = []scenario{{
	name:      "newer_version",
	histories: map[string]string{"upgraded_mail": interactionID("mail-over"), "upgraded_call": interactionID("call-over")},
	play: func(ctx context.Context, s *studio) error {
		err := errors.Join(
			s.version(ctx, "1.0"),
			s.start(ctx, "mail-over", "email", ""),
			s.start(ctx, "call-over", "inbound", ""),
			s.is(ctx, "mail-over", interaction.StateStarted),
			s.is(ctx, "call-over", interaction.StateStarted))
		if err != nil {
			return err
		}
		beside := s.leave() // the older version goes on beside the newer one
		if err := errors.Join(s.version(ctx, "2.0"), s.steps(ctx, "mail-over", "accept", agentOne)); err != nil {
			return err
		}
		return errors.Join(
			s.flood(ctx, interactionID("call-over"), "unknown", unknown),
			s.steps(ctx, "call-over", "abandon", none),
			s.finished(ctx, interactionID("call-over")),
			s.steps(ctx, "mail-over", "complete", agentOne),
			s.finished(ctx, interactionID("mail-over")),
			beside())
	},
}}

// version runs a worker of a version in the place of the one that runs, and makes the
// version current.
func (s *studio) version(ctx context.Context, build string) error {
	if s.stop != nil {
		if err := s.pause(); err != nil {
			return err
		}
	}
	set, err := config.Parse("golden.yaml", fmt.Appendf(nil, "%s\ntemporal: {deployment: golden, build_id: %q}\n", s.configured, build))
	if err != nil {
		return err
	}
	s.store = config.NewStore(set)
	s.work(ctx)
	deployment := s.client.WorkerDeploymentClient().GetHandle("golden")
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for {
		_, err := deployment.SetCurrentVersion(ctx, client.WorkerDeploymentSetCurrentVersionOptions{BuildID: build})
		if err == nil {
			return nil
		}
		select { // the version is known once its first worker has polled
		case <-ctx.Done():
			return fmt.Errorf("version %s does not become current: %w", build, err)
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// leave lets the present worker go on beside those that follow; the function that it
// returns stops it.
func (s *studio) leave() (stop func() error) {
	end, ended := s.stop, s.stopped
	s.stop = nil
	return func() error {
		end()
		return <-ended
	}
}
