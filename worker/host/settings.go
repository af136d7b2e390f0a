package host

import (
	"io"
	"log/slog"
	"strings"

	"segue/config"
	"segue/connect"
	"segue/delivery"
)

// Settings are how a process of this configuration reaches Temporal.
func Settings(set *config.Set) connect.Settings {
	t := set.Temporal
	return connect.Settings{
		Address: t.Address, Namespace: t.Namespace, TaskQueue: t.TaskQueue, APIKey: string(t.APIKey),
		TLS: connect.TLS{
			Enabled: t.TLS.Enabled, ServerName: t.TLS.ServerName,
			CA: pathOf(t.TLS.CA), Cert: pathOf(t.TLS.Certificate), Key: pathOf(t.TLS.Key),
		},
	}
}

// pathOf is the file that a reference names: certificates are read from files, so
// that a renewed one is used without a restart.
func pathOf(reference delivery.SecretRef) string {
	path, _ := strings.CutPrefix(string(reference), "file:")
	return path
}

// Logger writes as the configuration says. Its level can be changed while it writes.
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
