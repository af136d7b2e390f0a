package host

import (
	"io"
	"log/slog"

	"segue/config"
	"segue/connect"
)

// Settings returns how a process with this configuration connects to Temporal.
func Settings(set *config.Set) connect.Settings {
	t := set.Temporal
	return connect.Settings{
		Address: t.Address, Namespace: t.Namespace, TaskQueue: t.TaskQueue, APIKey: string(t.APIKey),
		TLS: connect.TLS{
			Enabled: t.TLS.Enabled, ServerName: t.TLS.ServerName,
			CA: string(t.TLS.CA), Cert: string(t.TLS.Certificate), Key: string(t.TLS.Key),
		},
	}
}

// Logger returns a logger as configured, and its level, which may be changed any time. It
// fails if the level is unknown.
func Logger(out io.Writer, settings config.Log) (*slog.Logger, *slog.LevelVar, error) {
	level := new(slog.LevelVar)
	if err := level.UnmarshalText([]byte(settings.Level)); err != nil {
		return nil, nil, err
	}
	options := &slog.HandlerOptions{Level: level}
	if settings.Format == "json" {
		return slog.New(slog.NewJSONHandler(out, options)), level, nil
	}
	return slog.New(slog.NewTextHandler(out, options)), level, nil
}
