package request_test

import (
	"encoding/json"
	"encoding/xml"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"segue/expr"
	"segue/interaction"
	"segue/request"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
	"pgregory.net/rapid"
)

// tag matches what receivers read as a data element that was not replaced.
var tag = regexp.MustCompile(`(?i)#[a-z_][a-z0-9_]*#`)

// text draws a text of data elements, literals and expressions.
func text(t *rapid.T, names []string) (text string, unknown bool) {
	var b strings.Builder
	for range rapid.IntRange(1, 6).Draw(t, "pieces") {
		switch rapid.IntRange(0, 2).Draw(t, "kind") {
		case 0:
			b.WriteString("#" + rapid.SampledFrom(names).Draw(t, "element") + "#")
		case 1:
			b.WriteString(rapid.SampledFrom([]string{"#", "ani#", "#a", " "}).Draw(t, "literal"))
		default:
			b.WriteString("${" + rapid.SampledFrom([]string{"agent.id", "user_data.nope", "disposition.code", "'1 x'"}).Draw(t, "expression") + "}")
		}
	}
	if rapid.IntRange(0, 5).Draw(t, "with a word") == 0 {
		b.WriteString("#" + rapid.StringMatching(`[a-z_]{1,12}`).Draw(t, "word") + "#")
	}
	pieces, err := expr.Scan(b.String())
	require.NoError(t, err)
	for _, p := range pieces {
		if p.Kind == expr.Tag {
			_, known := expr.FindElement(p.Text)
			unknown = unknown || !known
		}
	}
	return b.String(), unknown
}

// A text with data elements, known or unknown, in any place of a call is either refused with
// a remedy or sent without a data element in it, for any data of the interaction and any
// policy for missing values.
func TestNoDataElementIsSentUnreplaced(t *testing.T) {
	var names []string
	for _, e := range expr.Elements() {
		names = append(names, e.Name)
	}
	names = append(names, "survey_q1")
	rapid.Check(t, func(t *rapid.T) {
		written, unknown := text(t, names)
		body := rapid.SampledFrom([]string{"json", "form", "xml", "soap", "text"}).Draw(t, "body")
		leaf := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: written}
		tree := &yaml.Node{Kind: yaml.MappingNode, Content: []*yaml.Node{{Kind: yaml.ScalarNode, Value: "a"}, leaf}}
		s := request.Spec{Name: "c", Method: "POST", URL: "https://h.example.com/p", Query: pairs("q", written), Headers: pairs("X-A", written),
			Missing: rapid.SampledFrom([]request.Missing{"empty", "omit", "null", "park"}).Draw(t, "missing")}
		switch body {
		case "json":
			s.JSON = tree
		case "form":
			s.Form = pairs("a", written)
		case "xml":
			s.XML = &request.XML{Root: "R", Body: tree}
		case "soap":
			s.SOAP = &request.SOAP{Operation: "Op", Namespace: "urn:x", Body: tree}
		default:
			s.Text = &written
		}
		template, err := request.Compile(s)
		if unknown {
			require.ErrorContains(t, err, "there is no data element #")
			require.ErrorContains(t, err, "to send the text itself ${")
			return
		}
		if err != nil {
			require.ErrorContains(t, err, "with empty values the text is #")
			return
		}
		r, err := template.Render("m", someView(t, names), &interaction.Event{Moment: "inbound.disposition", Sequence: 1, Fields: map[string]any{}})
		if err != nil {
			require.ErrorContains(t, err, "no value")
			require.Equal(t, request.MissingPark, s.Missing)
			return
		}
		for _, out := range read(t, r.URL, r.Body, body, r.Headers[len(r.Headers)-1].Value) {
			require.False(t, tag.MatchString(out), "%q was sent for %q", out, written)
		}
	})
}

// someView returns an interaction with some of the data. No value looks like the name of an
// element, so that a data element in a request can only be one that was not replaced.
func someView(t *rapid.T, names []string) *interaction.View {
	v := &interaction.View{Interaction: interaction.Facts{ID: "i-1", ContactCenter: "c-c"}, UserData: map[string]any{}}
	if rapid.Bool().Draw(t, "with an agent") {
		v.Agent = &interaction.Agent{ID: "a-1", Name: "1-Ada 2-Lovelace"}
	}
	if rapid.Bool().Draw(t, "with a disposition") {
		v.Disposition = &interaction.Disposition{Code: "1-SOLD"}
	}
	for _, name := range names {
		if rapid.IntRange(0, 2).Draw(t, "sent") == 0 {
			v.UserData[name] = rapid.SampledFrom([]any{"1 x", "", 7.5, []any{1.0}}).Draw(t, "data")
		}
	}
	return v
}

// read returns the texts that the parser of a receiver reads in a request.
func read(t *rapid.T, target, body, kind, header string) []string {
	u, err := url.Parse(target)
	require.NoError(t, err)
	out := []string{u.Query().Get("q"), header}
	switch kind {
	case "json":
		var object map[string]any
		require.NoError(t, json.Unmarshal([]byte(body), &object))
		for _, v := range object {
			if s, ok := v.(string); ok {
				out = append(out, s)
			}
		}
	case "form":
		values, err := url.ParseQuery(body)
		require.NoError(t, err)
		out = append(out, values.Get("a"))
	case "xml", "soap":
		d := xml.NewDecoder(strings.NewReader(body))
		for token, err := d.Token(); err == nil; token, err = d.Token() {
			if data, ok := token.(xml.CharData); ok {
				out = append(out, string(data))
			}
		}
	default:
		out = append(out, body)
	}
	return out
}

func TestDataElementsAreAllowedInValuesOnly(t *testing.T) {
	cases := map[string]struct {
		change func(*request.Spec)
		want   string
	}{
		"key":       {func(s *request.Spec) { s.JSON = tree(t, `{"#ani#": 1}`) }, "json.#ani#: a key cannot contain a data element, and #ani# would be sent as it is; put it into a value"},
		"parameter": {func(s *request.Spec) { s.Query = pairs("a#dnis#", "x") }, "query[0].name: a name cannot contain a data element"},
		"field":     {func(s *request.Spec) { s.Form = pairs("#x#", "x") }, "form[0].name: a name cannot contain a data element, and #x# would be sent"},
		"header":    {func(s *request.Spec) { s.Headers = pairs("X#ani#", "x") }, "headers[0].name: a name cannot contain a data element"},
		"mapping":   {func(s *request.Spec) { s.Mappings = []request.Mapping{{From: "a", To: "#ani#"}} }, "mappings[0].to: a mapping cannot contain a data element"},
		"action": {func(s *request.Spec) { s.SOAP = &request.SOAP{Operation: "Op", Action: "urn:#ani#"} },
			"soap.action: an action cannot contain a data element"},
		"namespace": {func(s *request.Spec) { s.XML = &request.XML{Root: "R", Namespace: "urn:#ani#"} }, "xml.namespace: a namespace cannot contain a data element"},
		"a text that would read as one": {func(s *request.Spec) { s.Query = pairs("q", "##dnis#ani#") },
			"query[0].value: with empty values the text is #ani#, which is a data element; put a space between, or write # as ${\"#\"}"},
		"name": {func(s *request.Spec) { s.Form = pairs("${agent.id}", "x") }, "form[0].name: a name cannot contain an expression; put the expression into the value"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			_, err := request.Compile(call(t, "", c.change))
			require.ErrorContains(t, err, c.want)
		})
	}
	_, err := request.Compile(call(t, "", func(s *request.Spec) {
		s.SOAP = &request.SOAP{Operation: "Charge", Action: "urn:billing#Charge", Namespace: "http://example.com/ns#", Service: "BillingService", Port: "BillingPort"}
	}))
	require.NoError(t, err, "a single # is not a data element")
}

func TestAParameterWithoutANameSendsTheKeysOfAnObject(t *testing.T) {
	v := view()
	v.Survey = map[string]any{"q1": 5.0, "why": "price & service", "tags": []any{"a"}, "none": nil, "id": "not this"}
	s := call(t, "", func(s *request.Spec) {
		s.Query = pairs("", "${user_data.nested}", "z", "1")
		s.Form = pairs("id", "${interaction.id}", "", "${survey}")
		s.Mappings = []request.Mapping{{From: "5", To: "five"}}
	})
	r, err := compiled(t, s).Render("m", v, event())
	require.NoError(t, err)
	assert.Equal(t, "https://crm.example.com/calls?a=x&b=1&z=1", r.URL)
	assert.Equal(t, "id=i-1&none=&q1=five&tags=%5B%22a%22%5D&why=price+%26+service", r.Body)

	for missing, want := range map[request.Missing]string{"empty": "id=i-1", "omit": "id=i-1", "null": "id=i-1"} {
		s.Missing, s.Query = missing, nil
		r, err = compiled(t, s).Render("m", view(), event())
		require.NoError(t, err)
		assert.Equal(t, want, r.Body, missing)
	}
	s.Form = pairs("", "${user_data.tier}")
	_, err = compiled(t, s).Render("m", v, event())
	require.EqualError(t, err, "render: form[0].value: ${user_data.tier}: is not an object, and has no keys to send")
	_, err = request.Compile(call(t, "", func(s *request.Spec) { s.Form = pairs("", "all: ${survey}") }))
	require.EqualError(t, err, `form[0].name: the name is missing; write {name: …, value: …}; or, to send each key of an object, {value: "${survey}"}`)
}
