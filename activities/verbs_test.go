package activities_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"segue/config"
	"segue/delivery"
	"segue/interaction"
)

// Each call has parameters in the URL and, if its method may have one, in a body. Values are
// returned from all responses with a body.
func TestCallsAreSentWithAllEightMethodsOfECS(t *testing.T) {
	var mu sync.Mutex
	var got []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		mu.Lock()
		got = append(got, strings.TrimSpace(fmt.Sprintf("%s %s %s %s", r.Method, r.URL.RequestURI(), r.Header.Get("Content-Type"), body)))
		mu.Unlock()
		if err == nil {
			_, _ = io.WriteString(w, `{"tier":"gold"}`)
		}
	}))
	t.Cleanup(server.Close)
	yaml := "calls:\n"
	for _, method := range []string{"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"} {
		yaml += fmt.Sprintf("  - {name: %s, method: %s, url: \"%s/x\", query: [{name: id, value: \"${interaction.id}\"}], json: {id: \"${interaction.id}\"}, returns: [{from: tier, to: tier}]}\n", method, method, server.URL)
	}
	for _, method := range []string{"TRACE", "HEAD"} {
		yaml += fmt.Sprintf("  - {name: %s, method: %s, url: \"%s/x\", query: [{name: id, value: \"${interaction.id}\"}]}\n", method, method, server.URL)
	}
	set, err := config.Parse("verbs.yaml", []byte(yaml))
	require.NoError(t, err)
	guard, err := delivery.NewGuard([]string{"127.0.0.0/8"})
	require.NoError(t, err)
	sender := delivery.New(delivery.Options{Guard: guard})
	t.Cleanup(func() { require.NoError(t, sender.Close(context.Background())) })
	view := &interaction.View{Interaction: interaction.Facts{ID: "i-1"}}
	for _, c := range set.Calls() {
		rendered, err := c.Template.Render("msg-"+c.Name, view, &interaction.Event{})
		require.NoError(t, err)
		o := sender.Send(context.Background(), c.Policy, rendered, 1)
		require.Equal(t, "ok", o.Class, c.Name+": "+o.Message)
		if len(c.Policy.Returns) > 0 {
			require.Equal(t, map[string]any{"tier": "gold"}, o.Returns, c.Name)
		}
	}
	slices.Sort(got)
	require.Equal(t, []string{
		`DELETE /x?id=i-1 application/json {"id":"i-1"}`, `GET /x?id=i-1 application/json {"id":"i-1"}`, `HEAD /x?id=i-1`,
		`OPTIONS /x?id=i-1 application/json {"id":"i-1"}`, `PATCH /x?id=i-1 application/json {"id":"i-1"}`, `POST /x?id=i-1 application/json {"id":"i-1"}`,
		`PUT /x?id=i-1 application/json {"id":"i-1"}`, `TRACE /x?id=i-1`,
	}, got)
}
