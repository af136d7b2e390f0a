package config

import (
	"maps"
	"strings"

	"segue/delivery"
)

// secretPlace is where the configuration refers to a secret.
type secretPlace struct {
	path string
	line int
	ref  delivery.SecretRef
	// signs is true for a key of Standard Webhooks.
	signs bool
}

func (p secretPlace) check() error {
	if p.signs {
		return p.ref.CheckSigning()
	}
	return p.ref.Check()
}

// MissingSecrets lists the references that lead to no secret at present, or to one that
// cannot be used. A configuration with missing secrets still loads: requests of such a
// call are not sent, and are retried until the secret exists.
func (s *Set) MissingSecrets() Errors {
	var missing Errors
	for _, place := range s.secrets {
		err := place.check()
		if err == nil {
			continue
		}
		remedy := "create it: every attempt reads it again"
		if strings.HasPrefix(string(place.ref), "env:") {
			remedy = "set it and restart the process: a running process does not see new variables"
		}
		missing = append(missing, Error{File: s.File, Line: place.line, Path: place.path, Problem: err.Error(), Remedy: remedy})
	}
	return missing.bounded()
}

// NeedsRestart names the settings that a process reads only when it starts and that differ
// from those it was started with.
func (s *Set) NeedsRestart(started *Set) []string {
	var names []string
	for _, setting := range processSettings {
		if isOfProcess(setting.key) && s.settings[setting.key] != started.settings[setting.key] {
			names = append(names, setting.key)
		}
	}
	return names
}

// isOfProcess reports whether a reload cannot change a setting. It can change log.level.
func isOfProcess(key string) bool {
	block, _, _ := strings.Cut(key, ".")
	switch block {
	case "temporal", "gateway", "metrics":
		return true
	}
	return key == "log.format"
}

// equals reports whether two sets have the same content.
func (s *Set) equals(other *Set) bool {
	return s.Version == other.Version && maps.Equal(s.settings, other.settings)
}
