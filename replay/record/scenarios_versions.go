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

// versions are paths that move to a newer version of the workers: a mail with its next task, a call when its run
// continues as new.
var versions = []scenario{{
	name:      "newer_version",
	histories: map[string]string{"upgraded_mail": interactionID("mail-over"), "upgraded_call": interactionID("call-over")},
	play: func(ctx context.Context, r *recorder) error {
		err := errors.Join(
			r.useVersion(ctx, "1.0"),
			r.start(ctx, "mail-over", "email", ""),
			r.start(ctx, "call-over", "inbound", ""),
			r.awaitState(ctx, "mail-over", interaction.StateStarted),
			r.awaitState(ctx, "call-over", interaction.StateStarted))
		if err != nil {
			return err
		}
		stopOlder := r.detach() // the older version keeps running beside the newer one
		if err := errors.Join(r.useVersion(ctx, "2.0"), r.updates(ctx, "mail-over", "accept", agentOne)); err != nil {
			return err
		}
		return errors.Join(
			r.flood(ctx, interactionID("call-over"), "unknown", noPayload),
			r.updates(ctx, "call-over", "abandon", none),
			r.awaitEnd(ctx, interactionID("call-over")),
			r.updates(ctx, "mail-over", "complete", agentOne),
			r.awaitEnd(ctx, interactionID("mail-over")),
			stopOlder())
	},
}}

// useVersion replaces the current worker by one of a version, and makes the version current.
func (r *recorder) useVersion(ctx context.Context, build string) error {
	if err := r.pause(); err != nil {
		return err
	}
	set, err := config.Parse("golden.yaml", fmt.Appendf(nil, "%s\ntemporal: {deployment: golden, build_id: %q}\n", r.yaml, build))
	if err != nil {
		return err
	}
	r.store = config.NewStore(set)
	if err := r.resume(); err != nil {
		return err
	}
	deployment := r.client.WorkerDeploymentClient().GetHandle("golden")
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for {
		_, err := deployment.SetCurrentVersion(ctx, client.WorkerDeploymentSetCurrentVersionOptions{BuildID: build})
		if err == nil {
			return nil
		}
		select { // Temporal knows the version once its first worker has polled
		case <-ctx.Done():
			return fmt.Errorf("version %s does not become current: %w", build, err)
		case <-time.After(100 * time.Millisecond):
		}
	}
}
