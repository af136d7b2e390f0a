package config

import (
	"fmt"
	"math"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"segue/delivery"
	"segue/expr"
	"segue/request"

	"go.yaml.in/yaml/v3"
)

// duration is a duration as Go writes it: 30s, 1h30m.
type duration time.Duration

func (v *duration) decode(d *decoder, path string, n *yaml.Node) {
	parsed, problem, remedy := parseDuration(n.Value)
	if n.Kind != yaml.ScalarNode {
		problem, remedy = "expected a duration, found "+describe(path, n), "write it as 30s, 5m or 1h30m"
	}
	if problem != "" {
		d.failAt(n, path, n.Value, problem, remedy)
		return
	}
	*v = duration(parsed)
}

func (duration) schema() object { return ref("duration") }

// maxDuration bounds every configured duration: ten years.
const maxDuration = 87600 * time.Hour

func parseDuration(s string) (_ time.Duration, problem, remedy string) {
	parsed, err := time.ParseDuration(s)
	switch {
	case err != nil:
		return 0, quoted(s) + " is not a duration", "write it as 30s, 5m or 1h30m"
	case strings.HasPrefix(s, "-"):
		return 0, quoted(s) + " is negative", "write 0s or more"
	case parsed > maxDuration:
		return 0, quoted(s) + " is more than ten years", "write 87600h or less"
	}
	return parsed, "", ""
}

// size is a number of bytes: 65536, 64KiB, 1MB.
type size int64

var sizePattern = regexp.MustCompile(`^(\d+)\s*(B|kB|KB|KiB|MB|MiB)?$`)

var sizeUnits = map[string]int64{"": 1, "B": 1, "kB": 1000, "KB": 1000, "KiB": 1 << 10, "MB": 1_000_000, "MiB": 1 << 20}

func (v *size) decode(d *decoder, path string, n *yaml.Node) {
	bytes, problem, remedy := parseSize(n.Value)
	if n.Kind != yaml.ScalarNode {
		problem, remedy = quoted(n.Value)+" is not a size", "write it as 64KiB or 1MiB"
	}
	if problem != "" {
		d.failAt(n, path, n.Value, problem, remedy)
		return
	}
	*v = size(bytes)
}

func parseSize(s string) (bytes int64, problem, remedy string) {
	m := sizePattern.FindStringSubmatch(s)
	if m == nil {
		return 0, quoted(s) + " is not a size", "write it as 64KiB or 1MiB"
	}
	count, err := strconv.ParseInt(m[1], 10, 64)
	if err != nil || count > math.MaxInt32 {
		return 0, quoted(s) + " is too large", "write 16MiB or less"
	}
	return count * sizeUnits[m[2]], "", ""
}

func (size) schema() object { return ref("size") }

func (v size) String() string {
	for _, unit := range []string{"MiB", "KiB"} {
		if whole := int64(v) / sizeUnits[unit]; whole > 0 && int64(v)%sizeUnits[unit] == 0 {
			return strconv.FormatInt(whole, 10) + unit
		}
	}
	return strconv.FormatInt(int64(v), 10)
}

// instant is a time: 2027-01-31, which is its first moment in UTC, or 2027-01-31T18:00:00Z.
type instant time.Time

func (v *instant) decode(d *decoder, path string, n *yaml.Node) {
	for _, layout := range []string{time.DateOnly, time.RFC3339} {
		if at, err := time.Parse(layout, n.Value); n.Kind == yaml.ScalarNode && err == nil {
			*v = instant(at)
			return
		}
	}
	d.failAt(n, path, n.Value, quoted(n.Value)+" is not a date or a time", "write 2027-01-31 or 2027-01-31T18:00:00Z")
}

func (instant) schema() object {
	return object{"type": "string", "pattern": `^\d{4}-\d{2}-\d{2}([Tt].+)?$`, "examples": []string{"2027-01-31", "2027-01-31T18:00:00Z"}}
}

// words is one text or a list of texts.
type words []string

func (v *words) decode(d *decoder, path string, n *yaml.Node) {
	if n.Kind == yaml.ScalarNode {
		if n.ShortTag() != "!!null" {
			*v = words{n.Value}
			d.lines[path+"[0]"] = n.Line
		}
		return
	}
	var list []scalarText
	d.decode(path, n, reflect.ValueOf(&list).Elem(), false)
	for _, s := range list {
		*v = append(*v, string(s))
	}
}

// scalarText is any single value, as it is written.
type scalarText string

func (v *scalarText) decode(d *decoder, path string, n *yaml.Node) {
	if n.Kind != yaml.ScalarNode || n.ShortTag() == "!!null" {
		d.failAt(n, path, "", "expected text, found "+describe(path, n), "write one value")
		return
	}
	*v = scalarText(n.Value)
}

// statuses is a list of HTTP statuses: 2xx, 404, 200-204.
type statuses []delivery.StatusRange

var statusPattern = regexp.MustCompile(`^(?:([1-5])xx|(\d{3})(?:\s*-\s*(\d{3}))?)$`)

func (v *statuses) decode(d *decoder, path string, n *yaml.Node) {
	var list words
	list.decode(d, path, n)
	*v = nil
	for i, s := range list {
		if r, ok := parseStatus(s); ok {
			*v = append(*v, r)
			continue
		}
		d.fail(fmt.Sprintf("%s[%d]", path, i), s, quoted(s)+" is not an HTTP status", "write 2xx, 404 or 200-204")
	}
}

func parseStatus(s string) (r delivery.StatusRange, ok bool) {
	m := statusPattern.FindStringSubmatch(s)
	switch {
	case m == nil:
		return r, false
	case m[1] != "":
		r.From = int(m[1][0]-'0') * 100
		r.To = r.From + 99
	default:
		r.From, _ = strconv.Atoi(m[2])
		if r.To, _ = strconv.Atoi(m[3]); m[3] == "" {
			r.To = r.From
		}
	}
	return r, r.From >= 100 && r.To <= 599 && r.From <= r.To
}

func (statuses) schema() object {
	return object{"anyOf": []object{ref("status"), {"type": "array", "items": ref("status")}}}
}

// strings returns the statuses as a file writes them.
func (v statuses) strings() []string {
	list := make([]string, len(v))
	for i, r := range v {
		switch {
		case r.From == r.To:
			list[i] = strconv.Itoa(r.From)
		case r.From%100 == 0 && r.To == r.From+99:
			list[i] = fmt.Sprintf("%dxx", r.From/100)
		default:
			list[i] = fmt.Sprintf("%d-%d", r.From, r.To)
		}
	}
	return list
}

// outcomes is a list of HTTP statuses and outcome classes: 404, 5xx, tls.
type outcomes struct {
	statuses statuses
	classes  []delivery.Class
}

func (v *outcomes) decode(d *decoder, path string, n *yaml.Node) {
	var names []string
	for _, c := range delivery.Overridable() {
		names = append(names, string(c))
	}
	var list words
	list.decode(d, path, n)
	*v = outcomes{}
	for i, s := range list {
		if r, ok := parseStatus(s); ok {
			v.statuses = append(v.statuses, r)
		} else if slices.Contains(names, s) {
			v.classes = append(v.classes, delivery.Class(s))
		} else {
			d.fail(fmt.Sprintf("%s[%d]", path, i), s, quoted(s)+" is neither an HTTP status nor an outcome class",
				"write 2xx, 404 or 200-204; "+expr.Suggest(s, names))
		}
	}
}

func (outcomes) schema() object {
	item := object{"anyOf": []object{ref("status"), among(delivery.Overridable())}}
	return object{"anyOf": []object{item, {"type": "array", "items": item}}}
}

// missing is a policy for missing values. One of them is null, which YAML does not read as
// text.
type missing request.Missing

func (v *missing) decode(d *decoder, path string, n *yaml.Node) {
	if n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null" {
		if n.Value == string(request.MissingNull) {
			*v = missing(request.MissingNull)
		}
		return
	}
	d.value(path, n, reflect.ValueOf(v).Elem(), false)
}

func (missing) schema() object {
	values := []any{nil}
	for _, policy := range request.MissingPolicies {
		values = append(values, policy)
	}
	return object{"enum": values}
}

// fileBearer is the reference of a token, plain or as {token: …}.
type fileBearer struct {
	Token delivery.SecretRef
}

func (v *fileBearer) decode(d *decoder, path string, n *yaml.Node) {
	if n.Kind == yaml.MappingNode {
		var block struct {
			Token delivery.SecretRef `yaml:"token"`
		}
		d.decode(path, n, reflect.ValueOf(&block).Elem(), false)
		v.Token = block.Token
		return
	}
	d.decode(path, n, reflect.ValueOf(&v.Token).Elem(), false)
}

func (fileBearer) schema() object {
	block := object{"type": "object", "properties": object{"token": ref("secret")}, "required": []string{"token"}, "additionalProperties": false}
	return object{"anyOf": []object{ref("secret"), block}}
}

// setting is a value that the environment and flags can give too. It is checked once they
// are merged.
type setting struct{}

func (setting) decode(d *decoder, path string, n *yaml.Node) {
	switch {
	case n.Kind != yaml.ScalarNode:
		d.failAt(n, path, "", "expected one value, found "+describe(path, n), "write one value")
	case n.ShortTag() != "!!null":
		d.settings[path] = n.Value
	}
}

// channelsSetting is a setting of several channels: a list, or one text with commas.
type channelsSetting struct{}

func (channelsSetting) decode(d *decoder, path string, n *yaml.Node) {
	if n.Kind != yaml.SequenceNode {
		setting{}.decode(d, path, n)
		return
	}
	var values []string
	for _, item := range n.Content {
		if item.Kind != yaml.ScalarNode {
			d.failAt(item, path, "", "expected one value, found "+describe(path, item), "write one value")
			return
		}
		values = append(values, strings.TrimSpace(item.Value))
	}
	d.settings[path] = strings.Join(values, ",")
}

func (channelsSetting) schema() object {
	return object{"anyOf": []object{checkChannels.schema, {"type": "array", "items": checkChannels.schema}}}
}
