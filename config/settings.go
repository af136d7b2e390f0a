package config

import (
	"net"
	"os"
	"strings"
	"time"

	"segue/contract"
	"segue/delivery"
	"segue/interaction"

	"github.com/spf13/pflag"
	"github.com/spf13/viper"
)

// Option changes how a configuration is loaded.
type Option func(*loader)

// WithFlag makes a command-line flag, if it is given, override the file and the environment
// for one setting. key is the path of the setting: "temporal.address".
func WithFlag(key string, flag *pflag.Flag) Option {
	return func(l *loader) { l.flags[key] = flag }
}

// WithValue overrides the file, the environment and the flags for one setting. It is for
// commands that know the value, such as the address of an embedded Temporal.
func WithValue(key, value string) Option {
	return func(l *loader) { l.values[key] = value }
}

// processSetting is one value that the file, the environment or a flag can give.
type processSetting struct {
	key, defaultValue string
	form              form
}

// processSettings are all of them. The variable of temporal.address is SEGUE_TEMPORAL_ADDRESS.
var processSettings = append([]processSetting{
	{"temporal.address", "127.0.0.1:7233", checkHostPort},
	{"temporal.namespace", "default", checkName},
	{"temporal.task_queue", "segue", checkName},
	{"temporal.deployment", "segue", checkDeployment},
	{"temporal.build_id", "", optional(checkBuildID)},
	{"temporal.auto_upgrade", "email,sms,web", optional(checkChannels)},
	{"temporal.api_key", "", optional(checkSecret)},
	{"temporal.tls.enabled", "false", checkBool},
	{"temporal.tls.server_name", "", anyText},
	{"temporal.tls.ca", "", optional(checkSecret)},
	{"temporal.tls.certificate", "", optional(checkSecret)},
	{"temporal.tls.key", "", optional(checkSecret)},
	{"log.level", "info", oneOf("debug", "info", "warn", "error")},
	{"log.format", "text", oneOf("text", "json")},
	{"gateway.address", GatewayAddress, checkHostPort},
	{"gateway.public_url", "", optional(checkPublicURL)},
	{"gateway.tls.certificate", "", optional(checkSecret)},
	{"gateway.tls.key", "", optional(checkSecret)},
	{"gateway.gws.csrf", "optional", oneOf("optional", csrfRequired)},
	{"bus.url", "", optional(checkBusURL)},
	{"bus.listen", BusAddress, optional(checkHostPort)},
	{"bus.max_bytes", "256MiB", sizeBetween(1<<20, 64<<30)},
	{"bus.user", "", anyText},
	{"bus.password", "", optional(checkSecret)},
	{"bus.token", "", optional(checkSecret)},
	{"bus.cleartext", "false", checkBool},
	{"bus.tls.ca", "", optional(checkSecret)},
	{"bus.tls.certificate", "", optional(checkSecret)},
	{"bus.tls.key", "", optional(checkSecret)},
	{"board.window", "1h", durationBetween(time.Minute, 24*time.Hour)},
	{"board.service_level", "20s", durationBetween(time.Second, time.Hour)},
	{"metrics.address", MetricsAddress, optional(checkHostPort)},
	{"engagement.backend", "", optional(checkBackend)},
	{"engagement.queue", "", optional(checkQueue)},
	{"alerts.failing_after", short(contract.DefaultAlertRules().FailingAfter), checkDuration},
	{"alerts.recovered_after", short(contract.DefaultAlertRules().RecoveredAfter), checkDuration},
	{"alerts.remind_every", short(contract.DefaultAlertRules().RemindEvery), checkDuration},
	{"guard.proxy.url", "", optional(checkProxy)},
	{"guard.proxy.username", "", optional(checkSecret)},
	{"guard.proxy.password", "", optional(checkSecret)},
}, timerSettings()...)

// MetricsAddress is where a process serves metrics and health by default, GatewayAddress where
// the gateway listens, and BusAddress where the embedded bus of `segue serve` does.
const (
	MetricsAddress = "127.0.0.1:9464"
	GatewayAddress = "127.0.0.1:8080"
	BusAddress     = "127.0.0.1:4222"
)

// variable returns the environment variable of a setting.
func variable(key string) string {
	return "SEGUE_" + strings.ToUpper(strings.ReplaceAll(key, ".", "_"))
}

// settings merges file, environment and flags, and checks the result.
func (l *loader) settings() *viper.Viper {
	v := viper.New()
	v.SetEnvPrefix("SEGUE")
	v.SetEnvKeyReplacer(strings.NewReplacer(".", "_"))
	nested := map[string]any{}
	for path, value := range l.decoder.settings {
		insert(nested, strings.Split(path, "."), value)
	}
	if err := v.MergeConfigMap(nested); err != nil {
		l.decoder.fail("", "", err.Error(), "")
	}
	for _, s := range processSettings {
		v.SetDefault(s.key, s.defaultValue)
		if err := v.BindEnv(s.key); err != nil {
			l.decoder.fail(s.key, "", err.Error(), "")
		}
		if f := l.flags[s.key]; f != nil {
			if err := v.BindPFlag(s.key, f); err != nil {
				l.decoder.fail(s.key, "", err.Error(), "")
			}
		}
		if value, ok := l.values[s.key]; ok {
			v.Set(s.key, value)
		}
		value := v.GetString(s.key)
		if problem, remedy := s.form.mistake(value); problem != "" {
			l.failSetting(s.key, value, problem, remedy)
		}
	}
	l.together(v, "temporal.tls.certificate", "temporal.tls.key", "a client certificate and its key")
	l.secured(v)
	l.together(v, "gateway.tls.certificate", "gateway.tls.key", "a server certificate and its key")
	l.together(v, "bus.tls.certificate", "bus.tls.key", "a certificate and its key")
	l.together(v, "bus.user", "bus.password", "a user name and its password")
	l.together(v, "guard.proxy.username", "guard.proxy.password", "a proxy's user name and password")
	if v.GetString("guard.proxy.url") == "" && v.GetString("guard.proxy.username") != "" {
		l.failSetting("guard.proxy.username", "", "there is no proxy", "set guard.proxy.url too")
	}
	return v
}

// together checks that two settings are both given or both not.
func (l *loader) together(v *viper.Viper, one, other, what string) {
	if (v.GetString(one) == "") != (v.GetString(other) == "") {
		l.failSetting(one, "", what+" go together", "set both "+one+" and "+other)
	}
}

// secured checks that the connection to a Temporal on another machine, which carries
// interactions, is in plain text only if the settings allow it. An API key turns TLS on.
func (l *loader) secured(v *viper.Viper) {
	const enabled = "temporal.tls.enabled"
	address := v.GetString("temporal.address")
	host, _, err := net.SplitHostPort(address)
	if err != nil || isThisMachine(host) || v.GetBool(enabled) || l.isGiven(enabled) {
		return
	}
	for _, key := range []string{"temporal.api_key", "temporal.tls.server_name", "temporal.tls.ca", "temporal.tls.certificate"} {
		if v.GetString(key) != "" {
			return
		}
	}
	l.failSetting(enabled, "", "the connection to Temporal at "+quoted(address)+" would be in plain text",
		"set "+enabled+" ("+variable(enabled)+") to true, or to false in a network that you trust")
}

// isGiven reports whether a setting is given explicitly, even with its default value.
func (l *loader) isGiven(key string) bool {
	_, inFile := l.decoder.settings[key]
	_, forced := l.values[key]
	flag := l.flags[key]
	return inFile || forced || os.Getenv(variable(key)) != "" || flag != nil && flag.Changed
}

// failSetting reports a wrong setting at the place where it is given.
func (l *loader) failSetting(key, value, problem, remedy string) {
	if l.decoder.unread[key] {
		return
	}
	e := Error{Path: key, Value: shown(key, value), Problem: problem, Remedy: remedy}
	_, forced := l.values[key]
	flag := l.flags[key]
	switch {
	case forced:
	case flag != nil && flag.Changed:
		e.Path = "--" + flag.Name
	case os.Getenv(variable(key)) != "":
		e.Path = variable(key)
	default:
		e.File, e.Line = l.decoder.file, l.decoder.line(key)
	}
	l.decoder.unread[key] = true
	l.decoder.errors = append(l.decoder.errors, e)
}

func insert(m map[string]any, path []string, value string) {
	for _, key := range path[:len(path)-1] {
		next, ok := m[key].(map[string]any)
		if !ok {
			next = map[string]any{}
			m[key] = next
		}
		m = next
	}
	m[path[len(path)-1]] = value
}

// channelsOf reads a list of channels: "email, sms".
func channelsOf(s string) []interaction.Channel {
	var channels []interaction.Channel
	for name := range strings.SplitSeq(s, ",") {
		if name = strings.TrimSpace(name); name != "" {
			channels = append(channels, interaction.Channel(name))
		}
	}
	return channels
}

// fill copies the merged settings into the set.
func (s *Set) fill(v *viper.Viper) {
	secret := func(key string) delivery.SecretRef { return delivery.SecretRef(v.GetString(key)) }
	for _, setting := range processSettings {
		s.settings[setting.key] = v.GetString(setting.key)
	}
	s.Temporal = Temporal{Address: v.GetString("temporal.address"), Namespace: v.GetString("temporal.namespace"),
		TaskQueue: v.GetString("temporal.task_queue"), APIKey: secret("temporal.api_key"),
		Deployment: v.GetString("temporal.deployment"), BuildID: v.GetString("temporal.build_id"),
		AutoUpgrade: channelsOf(v.GetString("temporal.auto_upgrade")),
		TLS: TLS{Enabled: v.GetBool("temporal.tls.enabled"), ServerName: v.GetString("temporal.tls.server_name"),
			CA: secret("temporal.tls.ca"), Certificate: secret("temporal.tls.certificate"), Key: secret("temporal.tls.key")}}
	s.Log = Log{Level: v.GetString("log.level"), Format: v.GetString("log.format")}
	s.Gateway = Gateway{Address: v.GetString("gateway.address"), PublicURL: strings.TrimRight(v.GetString("gateway.public_url"), "/"),
		TLS: GatewayTLS{Certificate: secret("gateway.tls.certificate"), Key: secret("gateway.tls.key")},
		GWS: GWS{CSRF: v.GetString("gateway.gws.csrf") == csrfRequired}}
	maxBytes, _, _ := parseSize(v.GetString("bus.max_bytes")) // the check of its form reports the error
	s.Bus = Bus{URL: v.GetString("bus.url"), Listen: v.GetString("bus.listen"), MaxBytes: maxBytes, Cleartext: v.GetBool("bus.cleartext"),
		User: v.GetString("bus.user"), Password: secret("bus.password"), Token: secret("bus.token"),
		CA: secret("bus.tls.ca"), Certificate: secret("bus.tls.certificate"), Key: secret("bus.tls.key")}
	s.Metrics = Metrics{Address: v.GetString("metrics.address")}
	s.Guard.Proxy = delivery.Proxy{URL: v.GetString("guard.proxy.url"), Username: secret("guard.proxy.username"), Password: secret("guard.proxy.password")}
	s.Engagement = Engagement{Backend: strings.TrimRight(v.GetString("engagement.backend"), "/"), Queue: v.GetString("engagement.queue")}
	span := func(into *time.Duration, key string) {
		if d, err := time.ParseDuration(v.GetString(key)); err == nil { // the check of its form reports the error
			*into = d
		}
	}
	span(&s.Alerts.FailingAfter, "alerts.failing_after")
	span(&s.Alerts.RecoveredAfter, "alerts.recovered_after")
	span(&s.Alerts.RemindEvery, "alerts.remind_every")
	span(&s.Board.Window, "board.window")
	span(&s.Board.ServiceLevel, "board.service_level")
	for _, t := range timers {
		span(t.field(&s.defaults), "timeouts.default."+t.name)
	}
}
