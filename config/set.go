package config

import (
	"slices"

	"segue/contract"
	"segue/delivery"
	"segue/interaction"
	"segue/request"
	"segue/trigger"
)

// Set is one compiled configuration. It is immutable: a reload makes a new one.
type Set struct {
	// Version is a short hash of what the file and the environment say about
	// calls, triggers, alerts, timeouts, queues and desktop; comments and process settings
	// do not change it.
	Version string
	// File is where the set was read from; empty when it was parsed from memory.
	File string

	Triggers   *trigger.Set
	Queues     []Queue
	Desktop    Desktop
	Guard      Guard
	Engagement Engagement
	// Alerts says when operators are told of a receiver.
	Alerts contract.AlertRules

	Temporal Temporal
	Log      Log
	Gateway  Gateway
	Metrics  Metrics

	calls    map[string]*Call
	names    []string
	secrets  []secretPlace
	settings map[string]string // of the process, by path
	blank    bool              // nothing stands in the file
	defaults contract.Timeouts
	channels map[interaction.Channel]contract.Timeouts

	priorities priorities
}

// Call is one configured call, ready to be rendered and delivered.
type Call struct {
	Name     string
	Template *request.Template
	Policy   delivery.Policy
	// BuiltIn says that the call comes from engagement.backend, not from calls.
	BuiltIn bool
}

// Queue is a configured queue; queues that are not configured work with the defaults.
type Queue struct {
	Name            string
	BusinessProcess string
	// Overflow is the queue that takes over when the queue timer fires; empty ends the interaction.
	Overflow string
	// MaxMisses is how many missed offers act as the queue timer; 0 is unlimited.
	MaxMisses int
	// Priority is that of its interactions, 0 for that of their channel.
	Priority int

	timeouts override
}

// Desktop is what agent desktops are offered, by channel.
type Desktop struct {
	Scripts      []Script
	Dispositions []Disposition
}

// Script is a script an agent may start on a channel.
type Script struct {
	Channel interaction.Channel `yaml:"channel" json:"channel"`
	ID      string              `yaml:"id" json:"id" scalar:"true"`
	Name    string              `yaml:"name" json:"name"`
}

// Disposition is a code an agent may choose on a channel.
type Disposition struct {
	Channel interaction.Channel `yaml:"channel" json:"channel"`
	ID      string              `yaml:"id" json:"id" scalar:"true"`
	Value   string              `yaml:"value" json:"value" scalar:"true"`
	Labels  []Label             `yaml:"labels" json:"labels,omitempty"`
}

// Label is a disposition's name in one language.
type Label struct {
	Language    string `yaml:"language" json:"language"`
	Country     string `yaml:"country" json:"country,omitempty"`
	Name        string `yaml:"name" json:"name"`
	Description string `yaml:"description" json:"description,omitempty"`
}

// Guard says how calls leave the process.
type Guard struct {
	// Allow lists what the dial guard lets through beside public addresses: CIDR
	// ranges, addresses and host names, with a port or without.
	Allow []string
	// Proxy is what public addresses are reached through; the zero value is none.
	Proxy delivery.Proxy
}

// Engagement is the GWE backend that gets the callbacks.
type Engagement struct {
	// Backend is the base URL without a path; empty: no built-in calls.
	Backend string
}

// Temporal says which Temporal to use.
type Temporal struct {
	Address   string
	Namespace string
	TaskQueue string
	// APIKey authenticates with Temporal Cloud; empty: none.
	APIKey delivery.SecretRef
	TLS    TLS
	// Deployment and BuildID are the version that a worker runs as; without a build
	// id it runs unversioned.
	Deployment, BuildID string
	// AutoUpgrade are the channels whose interactions go on with newer versions of
	// the workers; those of the others stay with the version that they began on.
	AutoUpgrade []interaction.Channel
}

// Unpins tells whether a versioned worker lets interactions of a channel go on with
// newer versions.
func (t Temporal) Unpins(channel interaction.Channel) bool {
	return t.BuildID != "" && slices.Contains(t.AutoUpgrade, channel)
}

// TLS is how the connection to Temporal is secured.
type TLS struct {
	Enabled    bool
	ServerName string
	// CA, Certificate and Key are PEM; the last two are for mTLS.
	CA, Certificate, Key delivery.SecretRef
}

// Log is how a process logs: Level debug, info, warn or error; Format text or json.
type Log struct{ Level, Format string }

// Gateway is where the HTTP and WebSocket faces listen, host:port.
type Gateway struct{ Address string }

// Metrics is where a process is asked for its metrics and its health, host:port;
// empty is nowhere.
type Metrics struct{ Address string }

// Call finds a call by name.
func (s *Set) Call(name string) (*Call, bool) {
	c, ok := s.calls[name]
	return c, ok
}

// Calls lists the calls in the order of the configuration.
func (s *Set) Calls() []*Call {
	list := make([]*Call, len(s.names))
	for i, name := range s.names {
		list[i] = s.calls[name]
	}
	return list
}

// Queue finds a configured queue by name.
func (s *Set) Queue(name string) (Queue, bool) {
	i := slices.IndexFunc(s.Queues, func(q Queue) bool { return q.Name == name })
	if i < 0 {
		return Queue{}, false
	}
	return s.Queues[i], true
}

// TimeoutsFor gives the timer durations of a channel.
func (s *Set) TimeoutsFor(channel interaction.Channel) contract.Timeouts {
	if t, ok := s.channels[channel]; ok {
		return t
	}
	return s.defaults
}

// TimeoutsForQueue is TimeoutsFor with what the queue itself overrides.
func (s *Set) TimeoutsForQueue(channel interaction.Channel, queue string) contract.Timeouts {
	t := s.TimeoutsFor(channel)
	if q, ok := s.Queue(queue); ok {
		q.timeouts.apply(&t)
	}
	return t
}
