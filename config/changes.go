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
	// signs says that it has to be a key of Standard Webhooks.
	signs bool
}

func (p secretPlace) check() error {
	if p.signs {
		return p.ref.CheckSigning()
	}
	return p.ref.Check()
}

// MissingSecrets lists the references that lead to no secret now, or to none that can be
// used. Such a call's
// requests are not sent, and tried again until the secret is there; so a missing
// secret is no reason to refuse all the rest of a configuration.
func (s *Set) MissingSecrets() Errors {
	var missing Errors
	for _, place := range s.secrets {
		err := place.check()
		if err == nil {
			continue
		}
		remedy := "put it there: it is read for each attempt"
		if strings.HasPrefix(string(place.ref), "env:") {
			remedy = "set it and restart: a running process does not get new variables"
		}
		missing = append(missing, Error{File: s.File, Line: place.line, Path: place.path, Problem: err.Error(), Remedy: remedy})
	}
	return missing.bounded()
}

// NeedsRestart names the process settings of this set that differ from those which
// the process was started with and which it takes at its start only.
func (s *Set) NeedsRestart(started *Set) []string {
	var names []string
	for _, setting := range processSettings {
		if isOfProcess(setting.key) && s.settings[setting.key] != started.settings[setting.key] {
			names = append(names, setting.key)
		}
	}
	return names
}

// isOfProcess tells the settings that a reload cannot change. The log's level it can.
func isOfProcess(key string) bool {
	block, _, _ := strings.Cut(key, ".")
	switch block {
	case "temporal", "gateway", "metrics":
		return true
	}
	return key == "log.format"
}

// equals tells whether two sets say the same.
func (s *Set) equals(other *Set) bool {
	return s.Version == other.Version && maps.Equal(s.settings, other.settings)
}
