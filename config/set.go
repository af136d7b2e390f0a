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
	// Version is a short hash of the calls, triggers, alerts, timeouts, queues and desktop
	// in the file and the environment. Comments and process settings do not change it.
	Version string
	// File is the path of the file; empty if the set was parsed from memory.
	File string

	Triggers   *trigger.Set
	Queues     []Queue
	Desktop    Desktop
	Guard      Guard
	Engagement Engagement
	// Alerts are the rules for notifying operators of a failing receiver.
	Alerts contract.AlertRules

	Temporal Temporal
	Log      Log
	Gateway  Gateway
	Bus      Bus
	Board    Board
	Metrics  Metrics

	calls    map[string]*Call
	names    []string
	secrets  []secretPlace
	settings map[string]string // of the process, by path
	access   string            // a hash of what gateway.auth, session_keys, cors, gws.workbins and engagement contain
	blank    bool              // the file is empty
	defaults contract.Timeouts
	channels map[interaction.Channel]contract.Timeouts

	priorities priorities
}

// Call is one configured call, ready to be rendered and delivered.
type Call struct {
	Name     string
	Template *request.Template
	Policy   delivery.Policy
	// BuiltIn is true for a call that engagement.backend adds.
	BuiltIn bool
}

// Queue is a configured queue. Other queues use the defaults.
type Queue struct {
	Name            string
	BusinessProcess string
	// Overflow is the queue to move an interaction to when the queue timer fires; empty ends
	// the interaction.
	Overflow string
	// MaxMisses is how many missed offers have the effect of the queue timer; 0 is unlimited.
	MaxMisses int
	// Priority is the priority of its interactions; 0 is that of their channel.
	Priority int

	timeouts override
}

// Desktop lists the scripts and dispositions that agent desktops offer, by channel.
type Desktop struct {
	// Call is the name of the call that lists them instead; empty for none.
	Call         string        `json:"-"`
	Scripts      []Script      `json:"scripts"`
	Dispositions []Disposition `json:"dispositions"`
}

// Script is a script that an agent can start on a channel.
type Script struct {
	Channel interaction.Channel `yaml:"channel" json:"channel"`
	ID      string              `yaml:"id" json:"id" scalar:"true"`
	Name    string              `yaml:"name" json:"name"`
}

// Disposition is a code that an agent can choose on a channel.
type Disposition struct {
	Channel interaction.Channel `yaml:"channel" json:"channel"`
	ID      string              `yaml:"id" json:"id" scalar:"true"`
	Value   string              `yaml:"value" json:"value" scalar:"true"`
	Labels  []Label             `yaml:"labels" json:"labels,omitempty"`
}

// Label is the name of a disposition in one language.
type Label struct {
	Language    string `yaml:"language" json:"language"`
	Country     string `yaml:"country" json:"country,omitempty"`
	Name        string `yaml:"name" json:"name"`
	Description string `yaml:"description" json:"description,omitempty"`
}

// Guard configures which addresses calls may reach.
type Guard struct {
	// Allow lists what calls may reach besides public addresses: CIDR ranges, addresses and
	// host names, with or without ports.
	Allow []string
	// Proxy is the proxy for public addresses; the zero value is none.
	Proxy delivery.Proxy
}

// Build returns the guard. also lists what calls may reach besides what the configuration allows.
func (g Guard) Build(also ...string) (*delivery.Guard, error) {
	guard, err := delivery.NewGuard(slices.Concat(g.Allow, also))
	if err == nil {
		guard, err = guard.Through(g.Proxy)
	}
	return guard, err
}

// Engagement is the GWE backend that receives the callbacks.
type Engagement struct {
	// Backend is the base URL without a path. Without one there are no built-in calls.
	Backend string
	// Queue is where a visitor who accepts an invitation waits, unless the profile of the invitation
	// names another; empty for none.
	Queue string
}

// Temporal configures the Temporal service to use.
type Temporal struct {
	Address   string
	Namespace string
	TaskQueue string
	// APIKey authenticates with Temporal Cloud; empty is none.
	APIKey delivery.SecretRef
	TLS    TLS
	// Deployment and BuildID are the version that a worker runs as. Without a build id, a
	// worker is unversioned.
	Deployment, BuildID string
	// AutoUpgrade are the channels whose running interactions move to new versions of the
	// workers. Interactions on other channels stay on the version that they started on.
	AutoUpgrade []interaction.Channel
}

// AutoUpgrades reports whether running interactions of a channel move to new versions of the
// workers.
func (t Temporal) AutoUpgrades(channel interaction.Channel) bool {
	return t.BuildID != "" && slices.Contains(t.AutoUpgrade, channel)
}

// TLS configures TLS of the connection to Temporal.
type TLS struct {
	Enabled    bool
	ServerName string
	// CA, Certificate and Key are PEM. Certificate and Key are for mutual TLS.
	CA, Certificate, Key delivery.SecretRef
}

// Log configures logging. Level is debug, info, warn or error; Format is text or json.
type Log struct{ Level, Format string }

// Metrics configures the endpoint for metrics and health. Address is the host:port to listen
// on; empty is off.
type Metrics struct{ Address string }

// Call returns the call with a name, and false if there is none.
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

// Queue returns the configured queue with a name, and false if there is none.
func (s *Set) Queue(name string) (Queue, bool) {
	i := slices.IndexFunc(s.Queues, func(q Queue) bool { return q.Name == name })
	if i < 0 {
		return Queue{}, false
	}
	return s.Queues[i], true
}

// TimeoutsFor returns the timeouts of a channel.
func (s *Set) TimeoutsFor(channel interaction.Channel) contract.Timeouts {
	if t, ok := s.channels[channel]; ok {
		return t
	}
	return s.defaults
}

// TimeoutsForQueue returns the timeouts of a channel with those that the queue overrides.
func (s *Set) TimeoutsForQueue(channel interaction.Channel, queue string) contract.Timeouts {
	t := s.TimeoutsFor(channel)
	if q, ok := s.Queue(queue); ok {
		q.timeouts.apply(&t)
	}
	return t
}
