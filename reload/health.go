package reload

import (
	"errors"
	"time"

	"segue/config"
	"segue/metrics"
)

// Health is the state of a process's configuration.
type Health struct {
	Version string `json:"version"`
	File    string `json:"file,omitempty"`
	// LoadedAt is when the current configuration was loaded.
	LoadedAt   time.Time `json:"loaded_at"`
	LastReload *Result   `json:"last_reload,omitempty"`
	// MissingSecrets are references to secrets that do not exist.
	MissingSecrets config.Errors `json:"missing_secrets,omitempty"`
	// NeedsRestart names settings that have changed since the start of the process and take
	// effect only after a restart.
	NeedsRestart []string `json:"needs_restart,omitempty"`
}

// IsGood reports whether the current configuration is that of the file.
func (h Health) IsGood() bool {
	return h.LastReload == nil || h.LastReload.Outcome != metrics.Rejected
}

// Result is the result of a reload.
type Result struct {
	At      time.Time       `json:"at"`
	Outcome metrics.Outcome `json:"outcome"`
	// Errors are why the configuration was rejected, with field, value, line and remedy.
	Errors config.Errors `json:"errors,omitempty"`
}

// maxLogged is how many errors of a configuration are logged; Health has all.
const maxLogged = 10

func first(mistakes config.Errors) config.Errors { return mistakes[:min(len(mistakes), maxLogged)] }

// errorsOf returns any error as errors of a configuration.
func errorsOf(err error) config.Errors {
	if mistakes, ok := errors.AsType[config.Errors](err); ok {
		return mistakes
	}
	return config.Errors{{Problem: err.Error()}}
}

// located returns the parts of an error as attributes for the log.
func located(e config.Error) []any {
	parts := []any{"problem", e.Problem}
	for _, part := range []struct{ name, value string }{
		{"field", e.Path}, {"value", e.Value}, {"remedy", e.Remedy}, {"file", e.File},
	} {
		if part.value != "" {
			parts = append(parts, part.name, part.value)
		}
	}
	if e.Line > 0 {
		parts = append(parts, "line", e.Line)
	}
	return parts
}
