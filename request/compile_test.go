package request_test

import (
	"strings"
	"testing"

	"segue/request"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestMistakesAreFoundWhenACallIsCompiled(t *testing.T) {
	leaf := func(s string) func(*request.Spec) {
		return func(spec *request.Spec) {
			spec.JSON = tree(t, "{a: {b: [x, y]}}")
			spec.JSON.Content[1].Content[1].Content[1].Value = s
		}
	}
	text := "x"
	cases := []struct {
		name   string
		change func(*request.Spec)
		want   string
	}{
		{"method", func(s *request.Spec) { s.Method = "FETCH" },
			`method: "FETCH" is not a method; use GET, POST, PUT, PATCH, DELETE, TRACE, HEAD, OPTIONS`},
		{"no url", func(s *request.Spec) { s.URL = "" }, "url: a call needs a URL; write url: https://host/path"},
		{"scheme", func(s *request.Spec) { s.URL = "ftp://h/x" }, `url: the scheme of a URL is http or https; write https://host/path`},
		{"host from data", func(s *request.Spec) { s.URL = "https://${user_data.host}/x" }, "url: the scheme and the host of a URL cannot come from data; write them out and use expressions in the path or the query"},
		{"port from data", func(s *request.Spec) { s.URL = "https://h:${user_data.port}/x" }, "url: the scheme and the host of a URL cannot come from data; write them out and use expressions in the path or the query"},
		{"host ends in data", func(s *request.Spec) { s.URL = "https://h#ani#/x" }, "url: the scheme and the host of a URL cannot come from data; write them out and use expressions in the path or the query"},
		{"user info", func(s *request.Spec) { s.URL = "https://u:p@h/x" }, "url: a URL cannot contain a user and a password; use auth: {basic: {username: env:NAME, password: env:NAME}}"},
		{"fragment", func(s *request.Spec) { s.URL = "https://h/x#y" }, "url: a fragment is never sent; remove # and what follows it, or write %23"},
		{"space", func(s *request.Spec) { s.URL = "https://h/a b" }, "url: a URL cannot contain ' '; write it percent-encoded"},
		{"dots", func(s *request.Spec) { s.URL = "https://h/a/../b" }, "url: the path has a . or .. segment; write the path out"},
		{"two bodies", func(s *request.Spec) { s.JSON = tree(t, "{}"); s.Text = &text }, "text: a call has one body, and json is given too; keep one of json, text"},
		{"body of a head", func(s *request.Spec) { s.Method = "HEAD"; s.Text = &text }, "text: a HEAD request has no body; use query, or another method"},
		{"soap by put", func(s *request.Spec) { s.Method = "PUT"; s.SOAP = &request.SOAP{Operation: "Op"} }, "method: SOAP requires POST; write method: POST"},
		{"missing", func(s *request.Spec) { s.Missing = "drop" }, `missing: "drop" is not a policy for missing values; use empty, omit, null or park`},
		{"reserved header", func(s *request.Spec) { s.Headers = pairs("Webhook-ID", "x") }, "headers[0].name: Segue sets this header; remove it"},
		{"credential", func(s *request.Spec) { s.Headers = pairs("authorization", "Bearer x") }, "headers[0].name: a credential in a header would be in every history; use auth: {bearer: env:NAME}, basic, api_key or oauth2"},
		{"header name", func(s *request.Spec) { s.Headers = pairs("X Y", "x") }, "headers[0].name: this is not a header name; use letters, digits and dashes"},
		{"header literal", func(s *request.Spec) { s.Headers = pairs("X", "a\nb") }, "headers[0].value: a header cannot contain the character U+000A; remove it"},
		{"unknown variable", leaf("${agnet.id}"), "json.a.b[1]: column 3: there is no agnet in ${agnet.id}; did you mean agent? use interaction, agent, previous_agent, event, user_data, disposition, survey, durations, delivery"},
		{"unknown field", leaf("äx ${interaction.chanel}"), "json.a.b[1]: column 17: there is no field chanel in ${interaction.chanel}; did you mean channel?"},
		{"types", leaf("${durations.handle + interaction.id}"), "json.a.b[1]: column 20: + does not accept a number and text in ${durations.handle + interaction.id}; convert the value to text: string(…)"},
		{"delivery in a body", leaf("${delivery.id}"), "json.a.b[1]: column 3: there is no delivery in ${delivery.id}; use delivery in headers only: the body is the same in all attempts"},
		{"attempt in a body", leaf("${delivery.attempt}"), "json.a.b[1]: column 3: there is no delivery in ${delivery.attempt}; use delivery in headers only: the body is the same in all attempts"},
		{"attempt in the url", func(s *request.Spec) { s.URL += "/${delivery.attempt}" }, "url: column 33: there is no delivery in ${delivery.attempt}; use delivery in headers only: the body is the same in all attempts"},
		{"attempt in the query", func(s *request.Spec) { s.Query = pairs("n", "${delivery.attempt}") }, "query[0].value: column 3: there is no delivery in ${delivery.attempt}; use delivery in headers only: the body is the same in all attempts"},
		{"attempt in a condition", func(s *request.Spec) { s.Headers = pairs("X-Try", "${delivery.attempt > 1}") },
			"headers[0].value: column 11: there is no field attempt in ${delivery.attempt > 1}; delivery.attempt cannot be part of an expression: write ${delivery.attempt}, with text around it; the number is inserted when the header is sent"},
		{"attempt twice", func(s *request.Spec) { s.Headers = pairs("X-Try", "${delivery.attempt}/${delivery.attempt}") },
			"headers[0].value: a header can contain the attempt only once; write ${delivery.attempt} once"},
		{"open brace", leaf("${interaction.id"), "json.a.b[1]: column 1: ${ has no closing } in ${interaction.id; to send ${ itself, write ${\"${\"}"},
		{"empty expression", leaf("${ }"), "json.a.b[1]: column 3: the expression is empty"},
		{"unknown element", leaf("#agent_nots#"), `json.a.b[1]: there is no data element #agent_nots#; did you mean #agent_notes#? for your own data write ${user_data.agent_nots}, to send the text itself ${"#agent_nots#"}`},
		{"key", func(s *request.Spec) { s.JSON = tree(t, `{"${agent.id}": 1}`) }, "json.${agent.id}: a key cannot contain an expression; put the expression into the value"},
		{"nan", func(s *request.Spec) { s.JSON = tree(t, `{a: .nan}`) }, "json.a: JSON has no such number; put it in quotes"},
		{"element name", func(s *request.Spec) { s.XML = &request.XML{Root: "A", Body: tree(t, `{"1x": 1}`)} },
			`xml.body.1x: this is not a name for an XML element; use letters, digits, - and _, "@name" for an attribute or "#text"`},
		{"root name", func(s *request.Spec) { s.XML = &request.XML{Root: "a b"} }, "xml.root: this is not a name for an XML element; write root: Call"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			template, err := request.Compile(call(t, "", c.change))
			require.Nil(t, template)
			require.EqualError(t, err, c.want)
		})
	}
}

func TestAllMistakesAreListed(t *testing.T) {
	_, err := request.Compile(request.Spec{Method: "GO", URL: "x", Query: pairs("", "${"), JSON: tree(t, `{a: "${b}", c: ["${d}"]}`)})
	assert.Len(t, strings.Split(err.Error(), "\n"), 6)
}

func TestABodyIsBounded(t *testing.T) {
	_, err := request.Compile(call(t, strings.Repeat("[", 40)+strings.Repeat("]", 40)))
	require.ErrorContains(t, err, "nested more than 32 levels deep")
	_, err = request.Compile(call(t, "["+strings.Repeat("1,", 3000)+"1]"))
	require.ErrorContains(t, err, "more than 2000 nodes")
	// ten aliases of ten aliases of … : a small file that is a large tree
	bomb := "a0: &a0 [x]\n"
	for i := 1; i < 10; i++ {
		name := string(rune('0' + i))
		bomb += "a" + name + ": &a" + name + " [" + strings.Repeat("*a"+string(rune('0'+i-1))+", ", 10) + "]\n"
	}
	_, err = request.Compile(call(t, bomb))
	require.ErrorContains(t, err, "more than 2000 nodes")
}

func TestAnExpressionThatAlwaysCostsTooMuchIsRefused(t *testing.T) {
	list := "[" + strings.Repeat("1,", 60) + "1]"
	_, err := request.Compile(call(t, `{a: "${`+list+`.map(a, `+list+`.map(b, `+list+`.map(c, a + b + c)))}"}`))
	require.ErrorContains(t, err, "the expression costs at least")
}

func TestUsesReturnsWhatACallReads(t *testing.T) {
	template := compiled(t, call(t, `{a: "${user_data['a b'] + agent.id}", b: "#agent_notes#", c: ["${survey.q1}"], d: "#recording_url#"}`,
		func(s *request.Spec) { s.URL += "/${interaction.id}?x=${user_data.?y.orValue('')}" }))
	assert.Equal(t, []string{"#agent_notes", "#recording_url", "agent.id", "interaction.id", "survey.q1", "user_data.a b", "user_data.y"}, template.Uses())
}
