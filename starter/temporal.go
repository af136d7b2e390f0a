package main

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"segue/client"
	"segue/config"
	"segue/connect"
	"segue/worker/host"
	"segue/workflows"
)

// connectLimit bounds the wait for a Temporal that does not answer.
const connectLimit = 10 * time.Second

// session is a connection to one namespace.
type session struct {
	*client.Client
	settings connect.Settings
}

func (s *session) close() { s.Temporal.Close() }

// connect connects to the Temporal of the configuration.
func (a *app) connect(ctx context.Context) (*session, error) {
	set, err := a.configuration()
	if err != nil {
		return nil, err
	}
	s, err := dial(ctx, host.Settings(set), a.log(slog.LevelError))
	if err != nil {
		return nil, err
	}
	s.Priority = priorities(func() *config.Set { return set })
	return s, nil
}

func dial(ctx context.Context, settings connect.Settings, log *slog.Logger) (*session, error) {
	settings = settings.WithDefaults()
	order, err := workflows.NewPlugin()
	if err != nil {
		return nil, err
	}
	limited, cancel := context.WithTimeout(ctx, connectLimit)
	defer cancel()
	temporal, err := connect.Dial(limited, settings, log, order)
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, fmt.Errorf("%w: %w", client.ErrUnreachable, err)
	}
	return &session{
		Client:   &client.Client{Temporal: temporal, TaskQueue: settings.TaskQueue},
		settings: settings,
	}, nil
}

// log returns a logger that writes to stderr from a level up.
func (a *app) log(level slog.Level) *slog.Logger {
	return slog.New(slog.NewTextHandler(a.errs, &slog.HandlerOptions{Level: level}))
}

// answerLimit bounds one query or update: without a worker, no answer comes.
const answerLimit = 15 * time.Second

// limited returns a context that ends after answerLimit.
func limited(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(ctx, answerLimit, fmt.Errorf("no answer within %s", answerLimit))
}
