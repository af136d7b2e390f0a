package main

import (
	"context"
	"io"
	"log/slog"
	"os"

	"go.temporal.io/server/common/log"
	"go.temporal.io/server/common/log/tag"
)

// serverLog writes the server's log through slog, at a level that can be changed while it runs.
type serverLog struct {
	slog *slog.Logger
}

var _ log.WithLogger = serverLog{}

func newServerLog(w io.Writer, level slog.Leveler) serverLog {
	return serverLog{slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: level}))}
}

func (l serverLog) Debug(msg string, tags ...tag.Tag)  { l.write(slog.LevelDebug, msg, tags) }
func (l serverLog) Info(msg string, tags ...tag.Tag)   { l.write(slog.LevelInfo, msg, tags) }
func (l serverLog) Warn(msg string, tags ...tag.Tag)   { l.write(slog.LevelWarn, msg, tags) }
func (l serverLog) Error(msg string, tags ...tag.Tag)  { l.write(slog.LevelError, msg, tags) }
func (l serverLog) DPanic(msg string, tags ...tag.Tag) { l.write(slog.LevelError, msg, tags) }

// Panic logs and panics, as the server's code expects.
func (l serverLog) Panic(msg string, tags ...tag.Tag) {
	l.write(slog.LevelError, msg, tags)
	panic(msg)
}

// Fatal logs and ends the process, as the server's code expects.
func (l serverLog) Fatal(msg string, tags ...tag.Tag) {
	l.write(slog.LevelError, msg, tags)
	os.Exit(1)
}

// With returns a logger that adds the tags to every line.
func (l serverLog) With(tags ...tag.Tag) log.Logger {
	return serverLog{slog.New(l.slog.Handler().WithAttrs(attributes(tags)))}
}

func (l serverLog) write(level slog.Level, msg string, tags []tag.Tag) {
	// Most of the server's log lines are below the usual level: skip their tags.
	if l.slog.Enabled(context.Background(), level) {
		l.slog.LogAttrs(context.Background(), level, msg, attributes(tags)...)
	}
}

func attributes(tags []tag.Tag) []slog.Attr {
	attrs := make([]slog.Attr, len(tags))
	for i, t := range tags {
		attrs[i] = slog.Any(t.Key(), t.Value())
	}
	return attrs
}
