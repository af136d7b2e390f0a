package platform_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"slices"
	"sort"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// fuzzer makes requests from the OpenAPI document. Some of their values fit the schemas, others do not.
type fuzzer struct {
	*rand.Rand
	document *contract
	round    int
}

// TestRequestsFromTheDocument sends requests that are generated from the OpenAPI document, and checks
// that none is answered with 500 and that each answer is documented. SEGUE_FUZZ is how many there
// are for each operation; SEGUE_SEED repeats a run.
func TestRequestsFromTheDocument(t *testing.T) {
	seed := uint64(numberOf("SEGUE_SEED", int(rand.Int32())))
	t.Logf("SEGUE_SEED=%d", seed)
	f := &fuzzer{Rand: rand.New(rand.NewPCG(seed, 0)), document: published()}
	callers := []string{thePlatform, thePlatform, thePlatform, theAdmin, theSupervisor, ann, elsewhere, "platform acme umbrella", ""}
	succeeded := 0
	for range numberOf("SEGUE_FUZZ", 25) {
		f.start(t)
		for _, template := range f.sorted(f.document.paths) {
			for _, method := range f.sorted(f.document.paths[template].(map[string]any)) {
				operation := f.document.paths[template].(map[string]any)[method].(map[string]any)
				if lasts(operation) {
					continue // these have tests of their own
				}
				path, headers := f.parameters(template, operation)
				body := f.body(operation)
				a := send(t, callers[f.IntN(len(callers))], strings.ToUpper(method), "/v1"+path, body, headers...)
				require.NotEqual(t, http.StatusInternalServerError, a.Status, "%s %s %v\n%s\n%s", method, path, headers, body, a.Raw)
				if a.Status < 300 {
					succeeded++
				}
			}
		}
	}
	require.Greater(t, succeeded, 50, "some requests are valid")
}

// lasts reports whether the answer of an operation is a stream.
func lasts(operation map[string]any) bool {
	ok, _ := operation["responses"].(map[string]any)["200"].(map[string]any)
	content, _ := ok["content"].(map[string]any)
	return content["text/event-stream"] != nil || content["application/x-ndjson"] != nil
}

// start starts an interaction, which is some way on its path.
func (f *fuzzer) start(t *testing.T) {
	f.round++
	channels := []string{"inbound", "chat", "email", "web"}
	commands := []string{`{"command":"place_in_queue","queue":"sales"}`, `{"command":"offer","agent":"ann"}`, `{"command":"accept","agent":"ann"}`}
	post(t, http.StatusCreated, thePlatform, "/v1/interactions", fmt.Sprintf(`{"id":"fuzz-%d","channel":%q,"commands":[%s]}`,
		f.round, channels[f.IntN(len(channels))], strings.Join(commands[:f.IntN(4)], ",")))
}

func numberOf(variable string, usual int) int {
	if n, err := strconv.Atoi(os.Getenv(variable)); err == nil {
		return n
	}
	return usual
}

func (f *fuzzer) sorted(of map[string]any) []string {
	var keys []string
	for key := range of {
		keys = append(keys, key)
	}
	sort.Strings(keys)
	return keys
}

func (f *fuzzer) sometimes(percent int) bool { return f.IntN(100) < percent }

// parameters fills in a path, its query, and headers.
func (f *fuzzer) parameters(template string, operation map[string]any) (path string, headers []string) {
	query := url.Values{}
	path = template
	parameters, _ := operation["parameters"].([]any)
	for _, one := range parameters {
		parameter := one.(map[string]any)
		name := parameter["name"].(string)
		value := f.parameter(name, parameter["schema"].(map[string]any))
		switch {
		case parameter["in"] == "path":
			path = strings.ReplaceAll(path, "{"+name+"}", url.PathEscape(value))
		case !f.sometimes(20):
		case parameter["in"] == "query":
			query.Set(name, value)
		default:
			headers = append(headers, name, strings.Map(printable, value))
		}
	}
	if len(query) > 0 {
		path += "?" + query.Encode()
	}
	return path, headers
}

func printable(r rune) rune {
	if r < ' ' || r > '~' {
		return '_'
	}
	return r
}

func (f *fuzzer) parameter(name string, schema map[string]any) string {
	if f.sometimes(90) {
		switch name {
		case "id":
			return fmt.Sprintf("fuzz-%d", f.round-f.IntN(2))
		case "contact_center", "Segue-Contact-Center":
			return "acme"
		case "Idempotency-Key":
			return fmt.Sprintf("key-%d", f.IntN(500))
		}
	}
	value := f.value(schema, 0)
	if text, ok := value.(string); ok && text != "" {
		return text
	}
	if encoded, err := json.Marshal(value); err == nil && name != "id" {
		return string(encoded)
	}
	return "x"
}

// body makes a body: one that fits the schema, one with a wrong value inside, or one that is no JSON.
func (f *fuzzer) body(operation map[string]any) string {
	request, ok := operation["requestBody"].(map[string]any)
	if !ok || f.sometimes(3) {
		return ""
	}
	media := request["content"].(map[string]any)["application/json"].(map[string]any)
	if example, ok := media["example"]; ok && f.sometimes(30) {
		encoded, _ := json.Marshal(example)
		return string(encoded)
	}
	encoded, err := json.Marshal(f.value(media["schema"].(map[string]any), 0))
	if err != nil {
		return "{"
	}
	if f.sometimes(5) {
		return string(encoded[:f.IntN(len(encoded))]) + "\x00"
	}
	return string(encoded)
}

// value makes a value of a schema; now and then one that does not fit.
func (f *fuzzer) value(schema map[string]any, depth int) any {
	if depth > 6 || f.sometimes(3) {
		return f.any()
	}
	if ref, ok := schema["$ref"].(string); ok {
		return f.value(f.document.whole["components"].(map[string]any)["schemas"].(map[string]any)[ref[strings.LastIndexByte(ref, '/')+1:]].(map[string]any), depth)
	}
	if constant, ok := schema["const"]; ok {
		return constant
	}
	if values, ok := schema["enum"].([]any); ok {
		return values[f.IntN(len(values))]
	}
	if all, ok := schema["allOf"].([]any); ok {
		merged := map[string]any{}
		for _, part := range all {
			if object, ok := f.value(part.(map[string]any), depth).(map[string]any); ok {
				for key, value := range object {
					merged[key] = value
				}
			}
		}
		return merged
	}
	_, isObject := schema["properties"]
	for _, keyword := range []string{"oneOf", "anyOf"} {
		if alternatives, ok := schema[keyword].([]any); ok && !isObject {
			return f.value(alternatives[f.IntN(len(alternatives))].(map[string]any), depth)
		}
	}
	switch schema["type"] {
	case "object":
		return f.object(schema, depth)
	case "array":
		items := make([]any, f.IntN(4))
		for i := range items {
			items[i] = f.value(schema["items"].(map[string]any), depth+1)
		}
		return items
	case "string":
		return f.text(schema)
	case "integer", "number":
		return f.IntN(2000) - 5
	case "boolean":
		return f.sometimes(50)
	}
	return f.any()
}

func (f *fuzzer) object(schema map[string]any, depth int) map[string]any {
	object := map[string]any{}
	properties, _ := schema["properties"].(map[string]any)
	required, _ := schema["required"].([]any)
	for _, name := range f.sorted(properties) {
		if slices.Contains(required, any(name)) && !f.sometimes(2) || f.sometimes(25) {
			object[name] = f.value(properties[name].(map[string]any), depth+1)
		}
	}
	if f.sometimes(10) {
		object[f.text(nil)] = f.any()
	}
	return object
}

func (f *fuzzer) text(schema map[string]any) string {
	if schema["format"] == "date-time" && f.sometimes(90) {
		return "2026-01-31T09:30:00Z"
	}
	odd := []string{"", "a", "ann", "sales", "45s", "42#", "fuzz-1", "\u0000", "ü'\"\\", strings.Repeat("x", 300), "' OR 1=1 --", "\n", "../..", "%2e%2e", "2h", "\U0001f600"}
	return odd[f.IntN(len(odd))]
}

func (f *fuzzer) any() any {
	values := []any{nil, true, 0, -1, 1.5, 1e300, json.Number("123456789012345678901234567890"), f.text(nil), []any{}, []any{1, "a"}, map[string]any{}, map[string]any{"id": "ann", "": nil}}
	return values[f.IntN(len(values))]
}
