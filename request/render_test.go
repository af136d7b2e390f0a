package request_test

import (
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"segue/contract"
	"segue/interaction"
	"segue/request"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestALeafKeepsItsType(t *testing.T) {
	cases := []struct{ leaf, want string }{
		{"${interaction.id}", `"i-1"`},
		{"id ${interaction.id}", `"id i-1"`},
		{"${event.sequence}", `4`},
		{"nr ${event.sequence}", `"nr 4"`},
		{"${durations.handle}", `95`},
		{"${durations.queue}", `12.4`},
		{"took ${durations.total}s", `"took 131.5s"`},
		{"${user_data.count}", `3`},
		{"${user_data.score}", `7.5`},
		{"${user_data.tags}", `["a","b"]`},
		{"tags: ${user_data.tags}", `"tags: [\"a\",\"b\"]"`},
		{"${user_data.nested}", `{"a":"x","b":1}`},
		{"${interaction.customer.vip}", `true`},
		{"${interaction.customer.vip ? 'yes' : 'no'}", `"yes"`},
		{"${user_data.tier == 'gold'}", `true`},
		{"${agent}", `{"id":"a-1","name":"Ada Lovelace","team":"blue"}`},
		{"${agent.team}", `"blue"`},
		{"${interaction.started_at}", `"2020-04-22T10:11:12.13Z"`},
		{"${interaction.channel + '/' + interaction.queue}", `"inbound/sales"`},
		{"${{'z': 1, 'a': [true, null]}}", `{"a":[true,null],"z":1}`},
		{"${has(user_data.tier)}", `true`},
		{"${has(agent.team) && !has(agent.nope)}", `true`},
		{"${user_data[?'nope'].orValue('none')}", `"none"`},
		{"${event.reason}", `"manual"`},
		{"${event.from + '>' + event.to}", `"offered>handling"`},
		{"${interaction.ani.substring(2)}", `"5550100123"`},
		{"${'${'}", `"${"`},
		{`${"#ani#"}`, `"#ani#"`},
		{"#ani#", `"+15550100123"`},
		{"#call_start#", `"2020-04-22 10:11:12.1300"`},
		{"#queue_duration#", `"12"`},
		{"#agent_first_name#|#agent_last_name#", `"Ada|Lovelace"`},
		{"#ani_npa#-#ani_nxx#-#ani_last4#", `"555-010-0123"`},
		{"#agent_team#", `"blue"`},
		{"50 # of # 12", `"50 # of # 12"`},
		{"literal", `"literal"`},
	}
	for _, c := range cases {
		t.Run(c.leaf, func(t *testing.T) {
			s := call(t, "{x: y}")
			s.JSON.Content[1].Value = c.leaf
			r, err := compiled(t, s).Render("msg_1", view(), event())
			require.NoError(t, err)
			assert.Equal(t, `{"x":`+c.want+`}`, r.Body)
		})
	}
}

func TestConstantsKeepTheTypeAndOrderOfYAML(t *testing.T) {
	r, err := compiled(t, call(t, `{z: 1, a: 1.50, m: true, n: null, s: "1", h: 0x1F, l: [1, two, {k: v}], e: {}, f: [], d: 2020-01-01}`)).Render("m", view(), event())
	require.NoError(t, err)
	assert.Equal(t, `{"z":1,"a":1.5,"m":true,"n":null,"s":"1","h":31,"l":[1,"two",{"k":"v"}],"e":{},"f":[],"d":"2020-01-01"}`, r.Body)
}

func TestMissingValuesFollowThePolicy(t *testing.T) {
	body := `{first: "${user_data.nope}", list: ["${disposition.code}", 1, "#agent_notes#"], text: "a ${previous_agent.id} b",
		object: {only: "${interaction.outcome}"}, empty: "${user_data.empty}", deep: "${user_data.tier.x.y}"}`
	cases := []struct {
		missing     request.Missing
		body, query string
		header      bool
		fault       string
	}{
		{"", `{"first":"","list":["",1,""],"text":"a  b","object":{"only":""},"empty":"","deep":""}`, "a=&b=1", true, ""},
		{"empty", `{"first":"","list":["",1,""],"text":"a  b","object":{"only":""},"empty":"","deep":""}`, "a=&b=1", true, ""},
		{"omit", `{"list":[1],"object":{},"empty":""}`, "b=1", false, ""},
		{"null", `{"first":null,"list":[null,1,null],"text":null,"object":{"only":null},"empty":"","deep":null}`, "a=&b=1", true, ""},
		{"park", ``, "", false, "render: query[0].value: ${user_data.nope}: no value"},
	}
	for _, c := range cases {
		t.Run("missing "+string(c.missing), func(t *testing.T) {
			s := call(t, body, func(s *request.Spec) {
				s.Missing = c.missing
				s.Query = pairs("a", "${user_data.nope}", "b", "1")
				s.Headers = pairs("X-A", "${user_data.nope}")
			})
			r, err := compiled(t, s).Render("m", view(), event())
			if c.fault != "" {
				require.EqualError(t, err, c.fault)
				assert.Equal(t, c.fault, r.Fault)
				assert.Equal(t, "m", r.ID, "a parked delivery keeps its identity")
				return
			}
			require.NoError(t, err)
			assert.Equal(t, c.body, r.Body)
			assert.Equal(t, "https://crm.example.com/calls?"+c.query, r.URL)
			found := false
			for _, h := range r.Headers {
				found = found || h.Name == "X-A"
			}
			assert.Equal(t, c.header, found)
		})
	}
}

func TestMappingsReplaceValuesOnce(t *testing.T) {
	s := call(t, `{a: "${user_data.tier}", b: "#queue_duration#", c: "x ${user_data.tier}", d: gold, e: "${user_data.count}", f: "${user_data.nope}"}`,
		func(s *request.Spec) {
			s.Mappings = []request.Mapping{{From: "gold", To: "12"}, {From: "12", To: "twelve"}, {From: "3", To: "three"}, {From: "", To: "none"}}
		})
	r, err := compiled(t, s).Render("m", view(), event())
	require.NoError(t, err)
	assert.Equal(t, `{"a":"12","b":"twelve","c":"x 12","d":"gold","e":"three","f":"none"}`, r.Body)
}

func TestEveryRequestCarriesItsIdentity(t *testing.T) {
	r, err := compiled(t, call(t, "{a: 1}", func(s *request.Spec) {
		s.Headers = pairs("x-Mixed-CASE", "${delivery.id}", "user-agent", "own")
	})).Render("msg_1", view(), event())
	require.NoError(t, err)
	in, _ := received(t, r)
	assert.Equal(t, "msg_1", in.Header.Get("webhook-id"))
	assert.Equal(t, "msg_1", in.Header.Get("Idempotency-Key"))
	assert.Equal(t, "msg_1", in.Header.Get("X-Mixed-Case"))
	assert.Equal(t, []string{"own"}, in.Header["User-Agent"])
	assert.Equal(t, []string{"application/json"}, in.Header["Content-Type"])
	assert.Equal(t, int64(4), r.Sequence)
	assert.Equal(t, "segment_change", r.Moment)
	assert.Equal(t, at, r.At)
}

// Only the attempt number is inserted when a header is sent. Data that looks like its place
// is not replaced.
func TestAHeaderCanContainTheAttempt(t *testing.T) {
	v := view()
	v.UserData["evil"] = " ${delivery.attempt} "
	for value, want := range map[string]contract.Header{
		"${delivery.attempt}":                     {Attempt: true},
		" try ${ delivery.attempt } of #ani# ":    {Value: "try ", Attempt: true, After: " of +15550100123"},
		"${user_data.evil}${delivery.attempt}":    {Value: "${delivery.attempt} ", Attempt: true},
		"${delivery.attempt}${user_data.evil}":    {Attempt: true, After: " ${delivery.attempt}"},
		"${user_data.evil}":                       {Value: "${delivery.attempt}"},
		"${user_data.nothing}${delivery.attempt}": {Attempt: true},
	} {
		s := call(t, "", func(s *request.Spec) { s.Headers = pairs("X-Try", value) })
		r, err := compiled(t, s).Render("m", v, event())
		require.NoError(t, err)
		want.Name = "X-Try"
		assert.Equal(t, want, r.Headers[len(r.Headers)-1], value)
	}
	for missing, want := range map[request.Missing][]contract.Header{request.MissingOmit: {}, request.MissingNull: {{Name: "X-Try"}}} {
		s := call(t, "", func(s *request.Spec) {
			s.Headers, s.Missing = pairs("X-Try", "${delivery.attempt}${user_data.nothing}"), missing
		})
		r, err := compiled(t, s).Render("m", v, event())
		require.NoError(t, err)
		assert.Equal(t, want, slices.DeleteFunc(r.Headers, func(h contract.Header) bool { return h.Name != "X-Try" }))
	}
}

func TestTheAgentIsThatOfTheEvent(t *testing.T) {
	e := event()
	e.Agent = &interaction.Agent{ID: "a-9"}
	r, err := compiled(t, call(t, `{a: "${agent.id}", p: "${previous_agent.id}", n: "${agent.name}"}`)).Render("m", view(), e)
	require.NoError(t, err)
	assert.Equal(t, `{"a":"a-9","p":"","n":""}`, r.Body)
}

func TestNoValueMakesADotSegment(t *testing.T) {
	template := compiled(t, call(t, "", func(s *request.Spec) { s.URL = "https://h.example.com/a/${user_data.x}/${user_data.x}b" }))
	for _, value := range []string{
		".", "..", "../admin", "a/../../admin", `..\admin`, `a\..\..`, "%2e%2e/admin", "..%2fadmin", "%2E%2E%5Cadmin", "./a", "a/..",
	} {
		v := view()
		v.UserData["x"] = value
		_, err := template.Render("msg_1", v, event())
		assert.ErrorContains(t, err, "render: url: a value makes a . or .. segment", value)
	}
	for value, want := range map[string]string{"a..b": "a..b", "1.2": "1.2", "100%": "100%25", "a/b": "a%2Fb", "...": "...", "%zz/x": "%25zz%2Fx"} {
		v := view()
		v.UserData["x"] = value
		r, err := template.Render("msg_1", v, event())
		require.NoError(t, err, value)
		assert.Equal(t, "https://h.example.com/a/"+want+"/"+want+"b", r.URL)
	}
}

func TestSizesAreBounded(t *testing.T) {
	large := strings.Repeat("x", 300<<10)
	cases := map[string]struct {
		change func(*request.Spec)
		fault  string
	}{
		"json":   {func(s *request.Spec) { s.JSON = tree(t, `{a: "${user_data.large}"}`) }, "render: json.a: is larger than 256 KiB"},
		"text":   {func(s *request.Spec) { text := "${user_data.large}"; s.Text = &text }, "render: text: is larger than 256 KiB"},
		"form":   {func(s *request.Spec) { s.Form = pairs("a", "${user_data.large}") }, "render: form: is larger than 256 KiB"},
		"url":    {func(s *request.Spec) { s.URL += "/${user_data.large}" }, "render: url: is larger than 8 KiB"},
		"query":  {func(s *request.Spec) { s.Query = pairs("a", "${user_data.large}") }, "render: url: is larger than 8 KiB"},
		"header": {func(s *request.Spec) { s.Headers = pairs("A", "${user_data.large}") }, "render: headers[0].value: is larger than 8 KiB"},
		"xml": {func(s *request.Spec) { s.XML = &request.XML{Root: "A", Body: tree(t, `{b: "${user_data.large}"}`)} },
			"render: xml.body.b: is larger than 256 KiB"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			v := view()
			v.UserData["large"] = large
			r, err := compiled(t, call(t, "", c.change)).Render("m", v, event())
			require.EqualError(t, err, c.fault)
			assert.Less(t, r.Size(), 16<<10, "a fault does not contain the data")
		})
	}
}

func TestAnExpensiveExpressionIsStoppedWhileItRuns(t *testing.T) {
	v := view()
	list := make([]any, 3000)
	for i := range list {
		list[i] = float64(i)
	}
	v.UserData["list"] = list
	template := compiled(t, call(t, `{a: "${user_data.list.map(x, user_data.list.filter(y, y > x).size()).size()}"}`))
	start := time.Now()
	_, err := template.Render("m", v, event())
	require.ErrorContains(t, err, "stopped: it costs more than 200000")
	assert.Less(t, time.Since(start), 2*time.Second)
}

func TestRenderingIsDeterministicAndConcurrent(t *testing.T) {
	template := compiled(t, call(t, body1K+"\nopen: ${user_data}\nevent_fields: ${event}\nmade: \"${{'b': 1, 'a': 2, 'c': 3}}\"\n"))
	v, e := view(), event()
	for i := range 50 {
		v.UserData[strings.Repeat("k", i)] = float64(i)
	}
	want, err := template.Render("m", v, e)
	require.NoError(t, err)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 50 {
				got, err := template.Render("m", v, e)
				assert.NoError(t, err)
				assert.Equal(t, want, got)
			}
		})
	}
	wg.Wait()
}

func TestOpenDataCanContainTypesOfTheDomain(t *testing.T) {
	e := event()
	e.Fields = map[string]any{"agents": []interaction.Agent{{ID: "a", Fields: map[string]any{"team": "x"}}}, "one": interaction.Agent{ID: "b"},
		"ids": []string{"c"}, "n": 7, "none": nil}
	r, err := compiled(t, call(t, `{agents: "${event.agents}", team: "${event.agents[0].team}", one: "${event.one.id}", ids: "${event.ids[0]}", n: "${event.n}", none: "${event.none}"}`)).Render("m", view(), e)
	require.NoError(t, err)
	assert.Equal(t, `{"agents":[{"id":"a","team":"x"}],"team":"x","one":"b","ids":"c","n":7,"none":""}`, r.Body)
}

func TestSOAPEnvelopes(t *testing.T) {
	soap := func(version string) func(*request.Spec) {
		return func(s *request.Spec) {
			s.SOAP = &request.SOAP{Version: version, Action: "urn:crm#Put", Namespace: "urn:crm", Operation: "Put",
				Body: tree(t, `{Id: "${interaction.id}", Tag: "${user_data.tags}", Items: {Item: [1, "a & b"]}, None: null, Map: "${user_data.nested}"}`)}
		}
	}
	inner := `<Put xmlns="urn:crm"><Id>i-1</Id><Tag>a</Tag><Tag>b</Tag><Items><Item>1</Item><Item>a &amp; b</Item></Items><None></None><Map><a>x</a><b>1</b></Map></Put></soap:Body></soap:Envelope>`
	r, err := compiled(t, call(t, "", soap(""))).Render("m", view(), event())
	require.NoError(t, err)
	assert.Equal(t, `<?xml version="1.0" encoding="UTF-8"?><soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body>`+inner, r.Body)
	in, _ := received(t, r)
	assert.Equal(t, `"urn:crm#Put"`, in.Header.Get("SOAPAction"))
	assert.Equal(t, "text/xml; charset=utf-8", in.Header.Get("Content-Type"))

	r, err = compiled(t, call(t, "", soap("1.2"))).Render("m", view(), event())
	require.NoError(t, err)
	assert.Equal(t, `<?xml version="1.0" encoding="UTF-8"?><soap:Envelope xmlns:soap="http://www.w3.org/2003/05/soap-envelope"><soap:Body>`+inner, r.Body)
	in, _ = received(t, r)
	assert.Equal(t, `application/soap+xml; charset=utf-8; action="urn:crm#Put"`, in.Header.Get("Content-Type"))
	assert.Empty(t, in.Header.Get("SOAPAction"))
}

// Each block of a Header declares its own namespace.
func TestSOAPHeaders(t *testing.T) {
	with := func(header string) func(*request.Spec) {
		return func(s *request.Spec) {
			s.SOAP = &request.SOAP{Operation: "Put", Namespace: "urn:crm", Header: tree(t, header), Body: tree(t, `{Id: "${interaction.id}"}`)}
		}
	}
	for header, want := range map[string]string{
		`{"wsa:MessageID": {"@xmlns:wsa": "http://www.w3.org/2005/08/addressing", "#text": "urn:uuid:${interaction.id}"}}`: `<wsa:MessageID xmlns:wsa="http://www.w3.org/2005/08/addressing">urn:uuid:i-1</wsa:MessageID>`,
		`{"wsse:Security": {"@xmlns:wsse": "urn:wsse", "@soap:mustUnderstand": "1", "wsse:UsernameToken": {"wsse:Username": "segue"}}}`: `<wsse:Security xmlns:wsse="urn:wsse" soap:mustUnderstand="1">` +
			`<wsse:UsernameToken><wsse:Username>segue</wsse:Username></wsse:UsernameToken></wsse:Security>`,
		`{SessionId: {"@xmlns": "urn:sforce", "#text": "${interaction.contact_center}"}, Tenant: [a, b]}`: `<SessionId xmlns="urn:sforce">acme</SessionId><Tenant>a</Tenant><Tenant>b</Tenant>`,
	} {
		r, err := compiled(t, call(t, "", with(header))).Render("m", view(), event())
		require.NoError(t, err, header)
		assert.Contains(t, r.Body, `<soap:Header>`+want+`</soap:Header><soap:Body><Put xmlns="urn:crm"><Id>i-1</Id></Put></soap:Body>`)
	}
	for _, header := range []string{
		`{"wsse:Security": {"wsse:UsernameToken": {"wsse:Username": "segue", "wsse:Password": "hunter2"}}}`, `{Password: "${user_data.secret}"}`,
	} {
		spec := call(t, "", with(header))
		_, err := request.Compile(spec)
		require.ErrorContains(t, err, "assword: a password here would be in the history of every delivery; use auth: basic or mtls")
		require.NotContains(t, err.Error(), "hunter2")
	}
}
