package gateway_test

import (
	"encoding/json"
	"net/http"
	"sort"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

type assertCollect = assert.CollectT

// operation is one operation of the published OpenAPI document, with an example of its body.
type operation struct {
	method, path, body string
	// isFeed reports that the body has a command in each line, which are judged one by one.
	isFeed bool
	// isStream reports that the answer is a stream of events.
	isStream bool
}

// at returns the path for an interaction.
func (o operation) at(id string) string {
	return "/v1" + strings.NewReplacer("{id}", id, "{delivery}", "msg_1", "{visitID}", id).Replace(o.path)
}

// operations reads the document from the server, so that a new route is tested like the others.
func operations(t *testing.T) []operation {
	t.Helper()
	document := nobody.must(t, http.StatusOK, http.MethodGet, "/v1/openapi.json", "").Body
	paths := document["paths"].(map[string]any)
	var list []operation
	for path, item := range paths {
		for method, one := range item.(map[string]any) {
			o := operation{method: strings.ToUpper(method), path: path}
			described, ok := one.(map[string]any)
			if !ok {
				continue
			}
			if request, ok := described["requestBody"].(map[string]any); ok {
				content := request["content"].(map[string]any)
				o.body, o.isFeed = bodyOf(t, content), content["application/x-ndjson"] != nil
			}
			for _, response := range described["responses"].(map[string]any) {
				content, _ := response.(map[string]any)["content"].(map[string]any)
				o.isStream = o.isStream || content["text/event-stream"] != nil
			}
			list = append(list, o)
		}
	}
	sort.Slice(list, func(i, j int) bool { return list[i].path+list[i].method < list[j].path+list[j].method })
	require.Greater(t, len(list), 30)
	return list
}

func bodyOf(t *testing.T, content map[string]any) string {
	t.Helper()
	for _, media := range content {
		if example, ok := media.(map[string]any)["example"]; ok {
			if text, ok := example.(string); ok {
				return text
			}
			encoded, err := json.Marshal(example)
			require.NoError(t, err)
			return string(encoded)
		}
	}
	return "{}"
}
