package config

import (
	"net"
	"net/netip"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"segue/delivery"
	"segue/request/expr"

	"github.com/spf13/pflag"
	"github.com/spf13/viper"
)

// Option changes how a configuration is loaded.
type Option func(*loader)

// WithFlag lets a command-line flag, if it was given, win over the file and the
// environment for one setting, by its path: "temporal.address".
func WithFlag(key string, flag *pflag.Flag) Option {
	return func(l *loader) { l.flags[key] = flag }
}

// WithValue sets a setting over the file, the environment and the flags; for
// commands that know it, such as the address of an embedded Temporal.
func WithValue(key, value string) Option {
	return func(l *loader) { l.values[key] = value }
}

// check says what is wrong with a setting's text; an empty problem is none.
type check func(s string) (problem, remedy string)

// processSetting is one value that comes from file, environment or flag.
type processSetting struct {
	key, standard string
	check         check
}

// processSettings are all of them; the variable of temporal.address is SEGUE_TEMPORAL_ADDRESS.
var processSettings = []processSetting{
	{"temporal.address", "127.0.0.1:7233", checkHostPort},
	{"temporal.namespace", "default", checkName},
	{"temporal.task_queue", "segue", checkName},
	{"temporal.api_key", "", optional(checkSecret)},
	{"temporal.tls.enabled", "false", checkBool},
	{"temporal.tls.server_name", "", nil},
	{"temporal.tls.ca", "", optional(checkSecret)},
	{"temporal.tls.certificate", "", optional(checkSecret)},
	{"temporal.tls.key", "", optional(checkSecret)},
	{"log.level", "info", oneOf("debug", "info", "warn", "error")},
	{"log.format", "text", oneOf("text", "json")},
	{"gateway.address", "127.0.0.1:8080", checkHostPort},
	{"metrics.address", MetricsAddress, optional(checkHostPort)},
	{"engagement.backend", "", optional(checkBackend)},
	{"timeouts.default.offer", "30s", checkDuration},
	{"timeouts.default.queue", "10m", checkDuration},
	{"timeouts.default.wrap_up", "2m", checkDuration},
	{"timeouts.default.engagement", "60s", checkDuration},
	{"timeouts.default.lifetime", "168h", checkDuration},
	{"timeouts.default.late_events", "15m", checkDuration},
	{"timeouts.default.orphan", "5m", checkDuration},
	{"timeouts.default.sequence_gap", "2s", checkDuration},
}

// MetricsAddress is where a process is asked for its metrics and its health, unless
// its configuration says otherwise.
const MetricsAddress = "127.0.0.1:9464"

// variable is the environment variable of a setting.
func variable(key string) string {
	return "SEGUE_" + strings.ToUpper(strings.ReplaceAll(key, ".", "_"))
}

// settings merges file, environment and flags, and checks what came out.
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
		v.SetDefault(s.key, s.standard)
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
		if s.check == nil {
			continue
		}
		value := v.GetString(s.key)
		if problem, remedy := s.check(value); problem != "" {
			if strings.Contains(problem, "secret") {
				value = ""
			}
			l.misset(s.key, value, problem, remedy)
		}
	}
	certificate, key := v.GetString("temporal.tls.certificate"), v.GetString("temporal.tls.key")
	if (certificate == "") != (key == "") {
		l.misset("temporal.tls.certificate", "", "a client certificate and its key go together", "give both temporal.tls.certificate and temporal.tls.key")
	}
	return v
}

// misset reports a bad setting where it was given.
func (l *loader) misset(key, value, problem, remedy string) {
	if l.decoder.unread[key] {
		return
	}
	e := Error{Path: key, Value: value, Problem: problem, Remedy: remedy}
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

func optional(c check) check {
	return func(s string) (string, string) {
		if s == "" {
			return "", ""
		}
		return c(s)
	}
}

func oneOf(values ...string) check {
	return func(s string) (string, string) {
		if slices.Contains(values, s) {
			return "", ""
		}
		return quoted(s) + " is none of the values", expr.Suggest(s, values)
	}
}

func checkDuration(s string) (string, string) {
	_, problem, remedy := parseDuration(s)
	return problem, remedy
}

func checkBool(s string) (string, string) {
	if _, err := strconv.ParseBool(s); err != nil {
		return quoted(s) + " is neither true nor false", "write true or false"
	}
	return "", ""
}

func checkHostPort(s string) (string, string) {
	_, port, err := net.SplitHostPort(s)
	_, convErr := strconv.ParseUint(port, 10, 16)
	if err != nil || convErr != nil {
		return quoted(s) + " is not an address", "write host:port with a port from 0 to 65535"
	}
	return "", ""
}

var namePattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

func checkName(s string) (string, string) {
	if !namePattern.MatchString(s) {
		return quoted(s) + " is not a name", "use letters, digits, dots, dashes and underscores, at most 64"
	}
	return "", ""
}

func checkSecret(s string) (string, string) {
	kind, rest, _ := strings.Cut(s, ":")
	if (kind == "env" || kind == "file") && rest != "" && !strings.ContainsAny(rest, "\n\r\x00") {
		return "", ""
	}
	return "a secret is a reference, not the secret itself", "write env:NAME or file:PATH"
}

func checkBackend(s string) (string, string) {
	u, err := url.Parse(s)
	switch {
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "":
		return quoted(s) + " is not the URL of a backend", "write https://host:port"
	case u.User != nil:
		return "a URL holds no user and password", "define the calls engage and noengage with auth"
	case u.RawQuery != "" || u.Fragment != "" || strings.ContainsAny(s, "${#"):
		return quoted(s) + " has more than a host", "write https://host:port"
	}
	return "", ""
}

// checkReach checks an entry of guard.allow.
func checkReach(s string) (string, string) {
	if _, err := netip.ParsePrefix(s); err == nil {
		return "", ""
	}
	if _, err := netip.ParseAddr(s); err == nil {
		return "", ""
	}
	if hostPattern.MatchString(s) && !addressLike.MatchString(s) {
		return "", ""
	}
	return quoted(s) + " is not an address, range or host", `write "10.0.0.0/8", "192.0.2.7" or a host name`
}

var (
	hostPattern = regexp.MustCompile(`^[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?(\.[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?)*\.?$`)
	addressLike = regexp.MustCompile(`^[0-9.]+$`)
)

// fill moves the merged settings into the set.
func (s *Set) fill(v *viper.Viper) {
	secret := func(key string) delivery.SecretRef { return delivery.SecretRef(v.GetString(key)) }
	for _, setting := range processSettings {
		s.settings[setting.key] = v.GetString(setting.key)
	}
	s.Temporal = Temporal{Address: v.GetString("temporal.address"), Namespace: v.GetString("temporal.namespace"),
		TaskQueue: v.GetString("temporal.task_queue"), APIKey: secret("temporal.api_key"),
		TLS: TLS{Enabled: v.GetBool("temporal.tls.enabled"), ServerName: v.GetString("temporal.tls.server_name"),
			CA: secret("temporal.tls.ca"), Certificate: secret("temporal.tls.certificate"), Key: secret("temporal.tls.key")}}
	s.Log = Log{Level: v.GetString("log.level"), Format: v.GetString("log.format")}
	s.Gateway = Gateway{Address: v.GetString("gateway.address")}
	s.Metrics = Metrics{Address: v.GetString("metrics.address")}
	s.Engagement = Engagement{Backend: strings.TrimRight(v.GetString("engagement.backend"), "/")}
	for _, name := range timeoutNames {
		d, err := time.ParseDuration(v.GetString("timeouts.default." + name))
		if err != nil {
			continue // reported by its check
		}
		*timeoutField(&s.defaults, name) = d
	}
}
