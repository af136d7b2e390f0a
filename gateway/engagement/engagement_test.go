package engagement_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"segue/client"
	"segue/gateway/auth"
	"segue/gateway/engagement"
	"segue/interaction"
)

const profile = `{"visitID":"v1","page":"a"}`

func TestEveryWayToSendARequestIsRead(t *testing.T) {
	const wrapped = `{"ixnProfile":{"visitID":"v1"}}`
	text := `{"visitID":"v1"}`
	escaped := url.QueryEscape(text)
	for name, test := range map[string]struct{ query, body, contentType string }{
		"wrapped":                 {"", wrapped, "application/json"},
		"as text":                 {"", wrapped, "text/plain"},
		"without a type":          {"", wrapped, ""},
		"JSON that claims a form": {"", wrapped, "application/x-www-form-urlencoded"},
		"with a mark":             {"", "\ufeff " + wrapped + "\n", "application/json"},
		"JSON text":               {"", fmt.Sprintf(`{"ixnProfile":%q}`, text), "application/json"},
		"bare":                    {"", text, "application/json"},
		"form":                    {"", "ixnProfile=" + escaped, "application/x-www-form-urlencoded"},
		"form that claims JSON":   {"", "ixnProfile=" + escaped, "application/json"},
		"form with more":          {"", "x=1&ixnProfile=" + escaped + "&contact_center=berlin", ""},
		"parts":                   {"", parts("ixnProfile", text, "contact_center", "berlin"), "multipart/form-data; boundary=b"},
		"parts with a preamble":   {"", "preamble\r\n" + parts("ixnProfile", text), `Multipart/Form-Data; boundary="b"`},
		"a file":                  {"", strings.Replace(parts("ixnProfile", text), `name="ixnProfile"`, `name="ixnProfile"; filename="p.json"`, 1), "multipart/form-data; boundary=b"},
		"JSON that claims parts":  {"", wrapped, "multipart/form-data; boundary=b"},
		"query":                   {"?ixnProfile=" + escaped, "", ""},
		"number as id":            {"", `{"visitID":null,"ixnId":17}`, ""},
		"contact center":          {"", `{"contact_center":"berlin","ixnProfile":{"visitID":"v1"}}`, ""},
		"contact center, bare":    {"", `{"contact_center":"berlin","visitID":"v1"}`, ""},
		"contact center, query":   {"?contact_center=berlin", text, ""},
	} {
		for _, prefix := range []string{engagement.BackendPrefix, engagement.ServerPrefix} {
			t.Run(name+prefix, func(t *testing.T) {
				w := newWorld(t)
				answer := w.post(prefix+"engage"+test.query, test.body, "Content-Type", test.contentType)
				require.Equal(t, 200, answer.code, answer)
				require.Equal(t, 1, w.engaged)
				require.Equal(t, "engaging", answer.fields["state"])
			})
		}
	}
}

// parts is a multipart body with names and values, whose boundary is b.
func parts(fields ...string) string {
	body := ""
	for i := 0; i < len(fields); i += 2 {
		body += fmt.Sprintf("--b\r\nContent-Disposition: form-data; name=%q\r\n\r\n%s\r\n", fields[i], fields[i+1])
	}
	return body + "--b--\r\n"
}

func TestPartsThatCannotBeReadAreAFault(t *testing.T) {
	for name, test := range map[string]struct{ body, contentType string }{
		"no boundary":      {parts("ixnProfile", profile), "multipart/form-data"},
		"another boundary": {parts("ixnProfile", profile), "multipart/form-data; boundary=c"},
		"cut":              {strings.TrimSuffix(parts("ixnProfile", profile), "--b--\r\n"), "multipart/form-data; boundary=b"},
		"twice":            {parts("ixnProfile", profile, "ixnProfile", profile), "multipart/form-data; boundary=b"},
		"another name":     {parts("cancelData", profile), "multipart/form-data; boundary=b"},
		"no type":          {parts("ixnProfile", profile), ""},
		"too many":         {parts(append(slices.Repeat([]string{"x", "1"}, 200), "ixnProfile", profile)...), "multipart/form-data; boundary=b"},
	} {
		w := newWorld(t)
		answer := w.post("/server/data/gateway/engage", test.body, "Content-Type", test.contentType)
		require.Equal(t, 400, answer.code, "%s: %s", name, answer)
		require.Zero(t, w.engaged+w.starts, name)
	}
}

func TestWhatCannotBeReadIsAFault(t *testing.T) {
	for name, test := range map[string]struct {
		query, body, code string
		status            int
	}{
		"nothing":               {"", "", "malformed", 400},
		"no JSON":               {"", "{", "malformed", 400},
		"trailing":              {"", `{"visitID":"v"}x`, "malformed", 400},
		"key twice":             {"", `{"visitID":"v","visitID":"w"}`, "malformed", 400},
		"array":                 {"", `[{"visitID":"v"}]`, "malformed", 400},
		"no object":             {"", `{"ixnProfile":[1]}`, "malformed", 400},
		"null":                  {"", `{"ixnProfile":null}`, "malformed", 400},
		"text that is no JSON":  {"", `{"ixnProfile":"x"}`, "malformed", 400},
		"no id":                 {"", `{"ixnProfile":{"page":"a"}}`, "malformed", 400},
		"the other's parameter": {"", `{"cancelData":{"visitID":"v"}}`, "malformed", 400},
		"empty id":              {"", `{"ixnId":"","visitID":""}`, "malformed", 400},
		"id that is an object":  {"", `{"ixnId":{}}`, "malformed", 400},
		"id that is none":       {"", `{"ixnId":"a/b"}`, "malformed", 400},
		"id that is long":       {"", `{"ixnId":"` + strings.Repeat("a", 129) + `"}`, "malformed", 400},
		"fraction as id":        {"", `{"ixnId":1.5}`, "malformed", 400},
		"twice":                 {"?ixnProfile={}", `{"visitID":"v"}`, "malformed", 400},
		"twice in a form":       {"", `ixnProfile={}&ixnProfile={}`, "malformed", 400},
		"queue no name":         {"", `{"visitID":"v","queue":"a\nb"}`, "invalid-payload", 400},
		"queue too long":        {"", `{"visitID":"v","queue":"` + strings.Repeat("q", 256) + `"}`, "invalid-payload", 400},
		"two contact centers":   {"?contact_center=berlin", `{"contact_center":"rome","visitID":"v"}`, "malformed", 400},
		"foreign":               {"?contact_center=rome", `{"visitID":"v"}`, "not-found", 400},
		"deep":                  {"", `{"visitID":"v","x":` + strings.Repeat("[", 40) + strings.Repeat("]", 40) + `}`, "malformed", 400},
		"not UTF-8":             {"", "{\"visitID\":\"v\xff\"}", "malformed", 400},
		"profile too large":     {"", `{"visitID":"v","x":"` + strings.Repeat("x", 70<<10) + `"}`, "invalid-payload", 400},
		"too large":             {"", `{"visitID":"v","x":"` + strings.Repeat("x", 300<<10) + `"}`, "too-large", 413},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			answer := w.post("/server/data/gateway/engage"+test.query, test.body)
			require.Equal(t, test.status, answer.code, answer)
			require.Equal(t, "FAULT", answer.fields["status"])
			require.Equal(t, test.code, answer.fields["code"])
			require.NotEmpty(t, answer.fields["message"])
			require.Zero(t, w.engaged+w.starts)
		})
	}
	w := newWorld(t)
	require.Equal(t, 400, w.post("/server/data/gateway/engage", profile, "Content-Encoding", "gzip").code)
	require.Equal(t, 400, w.post("/server/data/gateway/engage", profile, "Idempotency-Key", strings.Repeat("k", 256)).code)
	require.Equal(t, 404, w.post("/server/data/gateway/engages", profile).code)
	answer := w.serve(w.face.Strategies(), httptest.NewRequest(http.MethodGet, "/server/data/gateway/engage?ixnProfile=%7B%22visitID%22:%22v%22%7D", nil))
	require.Equal(t, 405, answer.code)
	require.Equal(t, "POST", answer.header.Get("Allow"))
	require.Zero(t, w.engaged)
}

// TestEachRowOfTheTable has the requests and effects in their order.
func TestEachRowOfTheTable(t *testing.T) {
	const engageV1 = `engage {"ixnProfile":{"visitID":"v1","page":"a"}}`
	for name, test := range map[string]struct {
		state   []string // of visit-v1; nil is unknown
		later   time.Duration
		request string // "engage" or "noengage" of visit v1, or of ixnId
		want    string // the answer
		effects string // engaged and started by the request
	}{
		"engage: unknown":                             {nil, 0, "engage v1", `200 {"status":"OK","ixnId":"visit-v1","state":"engaging","attempt":1}`, "1 1"},
		"engage: unknown, by id":                      {nil, 0, "engage ix", `200 {"status":"OK","ixnId":"ix","state":"engaging","attempt":1}`, "1 1"},
		"engage: started":                             {[]string{}, 0, "engage v1", `200 {"status":"OK","ixnId":"visit-v1","state":"engaging","attempt":1}`, "1 0"},
		"engage: engaging, the same profile":          {[]string{engageV1}, time.Hour, "engage v1", `200 {"status":"OK","ixnId":"visit-v1","state":"engaging","attempt":1,"duplicate":true}`, "0 0"},
		"engage: engaging, the same in another order": {[]string{`engage {"ixnProfile":{"page":"a","visitID":"v1"}}`}, 0, "engage v1", `200 {"status":"OK","ixnId":"visit-v1","state":"engaging","attempt":1,"duplicate":true}`, "0 0"},
		"engage: engaging, another profile":           {[]string{`engage {"ixnProfile":{"visitID":"v1"}}`}, 0, "engage v1", `200 {"status":"OK","ixnId":"visit-v1","state":"engaging","attempt":2}`, "1 0"},
		"engage: just ended":                          {[]string{engageV1, `engagement_result {"result":"declined"}`}, 59 * time.Second, "engage v1", `200 {"status":"OK","ixnId":"visit-v1","state":"completed","attempt":1,"outcome":"not_engaged","duplicate":true}`, "0 0"},
		"engage: just withdrawn":                      {[]string{engageV1, `noengage {"cancelData":{}}`}, 0, "engage v1", `200 {"status":"OK","ixnId":"visit-v1","state":"completed","attempt":1,"outcome":"not_engaged","duplicate":true}`, "0 0"},
		"engage: just accepted":                       {[]string{engageV1, `engagement_result {"result":"accepted","queue":"q"}`}, 59 * time.Second, "engage v1", `200 {"status":"OK","ixnId":"visit-v1","state":"queued","attempt":1,"duplicate":true}`, "0 0"},
		"engage: ended before":                        {[]string{engageV1, `engagement_result {"result":"declined"}`}, time.Minute, "engage v1", `200 {"status":"OK","ixnId":"visit-v1","state":"engaging","attempt":1}`, "1 1"},
		"engage: just ended, another profile":         {[]string{`engage {"ixnProfile":{"visitID":"v1"}}`, `engagement_result {"result":"declined"}`}, 0, "engage v1", `200 {"status":"OK","ixnId":"visit-v1","state":"engaging","attempt":1}`, "1 1"},
		"engage: a chat that has ended":               {[]string{engageV1, `engagement_result {"result":"accepted","queue":"q"}`, "abandon"}, time.Hour, "engage v1", `200 {"status":"OK","ixnId":"visit-v1","state":"engaging","attempt":1}`, "1 1"},
		"engage: answered":                            {[]string{engageV1, `engagement_result {"result":"accepted","queue":"q"}`}, time.Minute, "engage v1", `400 {"status":"FAULT","code":"illegal-command","message":"engage is not possible: the interaction is queued"}`, "0 0"},
		"engage: accepted, and in no queue":           {[]string{`engage {"ixnProfile":{"visitID":"v1"}}`, `engagement_result {"result":"accepted"}`}, 0, "engage v1", `400 {"status":"FAULT","code":"illegal-command","message":"engage is not possible: the visitor has accepted the invitation"}`, "0 0"},
		"noengage: accepted, and in no queue":         {[]string{engageV1, `engagement_result {"result":"accepted"}`}, 0, "noengage v1", `400 {"status":"FAULT","code":"illegal-command","message":"noengage is not possible: the visitor has accepted the invitation"}`, "0 0"},
		"engage: accepted before, and in no queue":    {[]string{engageV1, `engagement_result {"result":"accepted"}`}, time.Minute, "engage v1", `400 {"status":"FAULT","code":"illegal-command","message":"engage is not possible: the visitor has accepted the invitation"}`, "0 0"},
		"engage: just accepted, and in no queue":      {[]string{engageV1, `engagement_result {"result":"accepted"}`}, 59 * time.Second, "engage v1", `200 {"status":"OK","ixnId":"visit-v1","state":"started","attempt":1,"duplicate":true}`, "0 0"},
		"engage: ended, by id":                        {[]string{engageV1, `engagement_result {"result":"declined"}`}, time.Minute, "engage visit-v1", `400 {"status":"FAULT","code":"illegal-command","message":"engage is not possible: the interaction is completed (not_engaged)"}`, "0 0"},
		"noengage: unknown":                           {nil, 0, "noengage v1", `200 {"status":"OK","ixnId":"visit-v1","state":"completed","outcome":"not_engaged"}`, "0 1"},
		"noengage: started":                           {[]string{}, 0, "noengage v1", `200 {"status":"OK","ixnId":"visit-v1","state":"completed","outcome":"not_engaged"}`, "0 0"},
		"noengage: engaging":                          {[]string{engageV1}, 0, "noengage v1", `200 {"status":"OK","ixnId":"visit-v1","state":"completed","attempt":1,"outcome":"not_engaged"}`, "0 0"},
		"noengage: not engaged":                       {[]string{engageV1, `engagement_result {"result":"declined"}`}, time.Hour, "noengage v1", `200 {"status":"OK","ixnId":"visit-v1","state":"completed","attempt":1,"outcome":"not_engaged","duplicate":true}`, "0 0"},
		"noengage: answered":                          {[]string{engageV1, `engagement_result {"result":"accepted","queue":"q"}`}, 0, "noengage v1", `400 {"status":"FAULT","code":"illegal-command","message":"noengage is not possible: the interaction is queued"}`, "0 0"},
		"noengage: ended otherwise":                   {[]string{engageV1, `engagement_result {"result":"accepted","queue":"q"}`, "abandon"}, 0, "noengage v1", `400 {"status":"FAULT","code":"illegal-command","message":"noengage is not possible: the interaction is completed (abandoned)"}`, "0 0"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			if test.state != nil {
				w.play("visit-v1", "web", test.state...)
			}
			w.now = w.now.Add(test.later)
			w.engaged, w.starts = 0, 0
			kind, id, _ := strings.Cut(test.request, " ")
			object := profile
			if id != "v1" {
				object = fmt.Sprintf(`{"ixnId":%q,"visitID":"v1","page":"a"}`, id)
			}
			request := w.engage
			if kind == "noengage" {
				request = w.noengage
			}
			require.Equal(t, test.want, request(object).String())
			require.Equal(t, test.effects, fmt.Sprint(w.engaged, " ", w.starts))
			if strings.HasPrefix(test.want, "200") { // again: nothing happens
				again := request(object)
				require.Equal(t, 200, again.code)
				require.Equal(t, true, again.fields["duplicate"])
				require.Equal(t, test.effects, fmt.Sprint(w.engaged, " ", w.starts))
			}
		})
	}
}

func TestAnInteractionOfAVisitCanBeEngagedAgainAndAgain(t *testing.T) {
	w := newWorld(t)
	for i := range 4 {
		require.Equal(t, `200 {"status":"OK","ixnId":"visit-v1","state":"engaging","attempt":1}`, w.engage(profile).String(), i)
		w.do("visit-v1", `engagement_result {"result":"timeout"}`)
		w.now = w.now.Add(2 * time.Minute)
	}
	require.Equal(t, 4, w.engaged)
}

// The window of a repeat begins when the visitor answers, not when the chat ends: it may have lasted for an hour.
func TestAVisitorOfAnEndedChatIsInvitedAgainAtOnce(t *testing.T) {
	for name, test := range map[string]struct{ answer, end string }{
		"no queue":    {`engagement_result {"result":"accepted"}`, "complete"},
		"a queue":     {`engagement_result {"result":"accepted","queue":"q"}`, "abandon"},
		"an agent":    {`engagement_result {"result":"accepted","agent":"ann"}`, "complete"},
		"routed late": {`engagement_result {"result":"accepted"}`, `place_in_queue {"queue":"q"}`},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.play("visit-v1", "web", `engage {"ixnProfile":{"visitID":"v1","page":"a"}}`, test.answer)
			w.now = w.now.Add(time.Hour)
			refused := w.engage(profile)
			require.Equal(t, 400, refused.code, "the chat is not over: %s", refused)
			w.do("visit-v1", test.end)
			if name == "routed late" { // a queue that it is placed in later is no answer
				require.Equal(t, 400, w.engage(profile).code)
				w.do("visit-v1", "abandon")
			}
			require.Equal(t, `200 {"status":"OK","ixnId":"visit-v1","state":"engaging","attempt":1}`, w.engage(profile).String())
			require.Equal(t, `200 {"status":"OK","ixnId":"visit-v1","state":"engaging","attempt":1,"duplicate":true}`, w.engage(profile).String())
			require.Equal(t, 2, w.engaged)
		})
	}
}

// Commands that are answered together have one revision, and the answer of each has its own attempt.
func TestTheAnswerOfAnEngageHasItsOwnAttempt(t *testing.T) {
	w := newWorld(t)
	w.play("visit-v1", "web")
	w.meanwhile = func() { // it is answered with the next one
		w.do("visit-v1", `engage {"ixnProfile":{"visitID":"v1","page":"b"}}`)
		w.interactions[named("visit-v1")].revision--
	}
	require.Equal(t, `200 {"status":"OK","ixnId":"visit-v1","state":"engaging","attempt":2}`, w.engage(profile).String())
	w.meanwhile = func() {
		w.do("visit-v1", `engage {"ixnProfile":{"visitID":"v1","page":"c"}}`)
	}
	require.Equal(t, `200 {"status":"OK","ixnId":"visit-v1","state":"engaging","attempt":4}`, w.engage(`{"visitID":"v1","page":"d"}`).String())
}

func TestAKeyFindsARepeatInEveryState(t *testing.T) {
	w := newWorld(t)
	first := w.engage(profile, "Idempotency-Key", "k1")
	require.Equal(t, 200, first.code)
	for _, given := range []string{
		`engage {"ixnProfile":{"visitID":"v1","page":"b"},"event_id":"k2"}`, `engagement_result {"result":"accepted","queue":"q"}`, "abandon",
	} {
		w.do("visit-v1", given)
		w.now = w.now.Add(time.Hour)
		engaged := w.engaged
		again := w.engage(profile, "Idempotency-Key", "k1")
		require.Equal(t, 200, again.code, again)
		require.Equal(t, true, again.fields["duplicate"], given)
		require.Equal(t, engaged, w.engaged)
	}
	require.Equal(t, `200 {"status":"OK","ixnId":"visit-v1","state":"engaging","attempt":1}`, w.engage(profile, "Idempotency-Key", "k3").String())
}

func TestWhatHappensMeanwhileIsDecidedAgain(t *testing.T) {
	w := newWorld(t)
	w.meanwhile = func() { // another replica was first
		w.play("visit-v1", "web", `engage {"ixnProfile":{"visitID":"v1","page":"a"}}`)
	}
	answer := w.engage(profile)
	require.Equal(t, `200 {"status":"OK","ixnId":"visit-v1","state":"engaging","attempt":1,"duplicate":true}`, answer.String())
	require.Equal(t, 1, w.engaged)

	w = newWorld(t)
	w.play("visit-v1", "web")
	w.meanwhile = func() { w.do("visit-v1", `place_in_queue {"queue":"q"}`) }
	require.Equal(t, 400, w.engage(profile).code)
	require.Zero(t, w.engaged)
}

func TestWithoutTemporalNothingIsSaidToBeDone(t *testing.T) {
	for err, want := range map[error]int{client.ErrUnreachable: 503, client.ErrNoWorker: 503, client.ErrStuck: 503, fmt.Errorf("a secret"): 500} {
		w := newWorld(t)
		w.fails = err
		answer := w.engage(profile)
		require.Equal(t, want, answer.code)
		require.Equal(t, "FAULT", answer.fields["status"])
		require.NotContains(t, answer.body, "secret")
		if want == 503 {
			require.NotEmpty(t, answer.header.Get("Retry-After"))
		}
	}
}

func TestWhatTheProfileSaysOfTheVisitIsUserData(t *testing.T) {
	w := newWorld(t)
	w.engage(`{"visitID":"v1","pageID":"p","languageCode":"en","timezoneOffset":-60,"secret":"x","jsonEvent":{"a":1}}`)
	status := w.interactions[named("visit-v1")].inner.Status()
	require.Equal(t, map[string]any{"visitID": "v1", "pageID": "p", "languageCode": "en", "timezoneOffset": -60.0, "jsonEvent": map[string]any{"a": 1.0}}, status.UserData)
	require.Equal(t, interaction.ChannelWeb, status.Channel)
	require.Equal(t, "x", status.Engagement.Profile["secret"])
}

func TestOnlyThePlatformEngages(t *testing.T) {
	for _, role := range []interaction.Role{interaction.RoleAdmin, interaction.RoleSupervisor, interaction.RoleAgent} {
		w := newWorld(t)
		w.caller.Role = role
		answer := w.engage(profile)
		require.Equal(t, 403, answer.code)
		require.Equal(t, "not-permitted", answer.fields["code"])
		require.Zero(t, w.engaged)
	}
	w := newWorld(t)
	w.caller = nil
	answer := w.engage(profile)
	require.Equal(t, 401, answer.code)
	require.NotEmpty(t, answer.header.Get("WWW-Authenticate"))
}

func TestATrustedNetworkNeedsNoCredential(t *testing.T) {
	for name, test := range map[string]struct {
		remote, header, value string
		want                  int
		center                string
	}{
		"trusted":                {"10.1.2.3:1", "", "", 200, "berlin"},
		"the narrowest":          {"10.2.2.3:1", "", "", 200, "rome"},
		"IPv4 in IPv6":           {"[::ffff:10.1.2.3]:1", "", "", 200, "berlin"},
		"elsewhere":              {"192.0.2.1:1", "", "", 401, ""},
		"no address":             {"", "", "", 401, ""},
		"a wrong credential":     {"10.1.2.3:1", "Authorization", "Bearer x", 401, ""},
		"a wrong key":            {"10.1.2.3:1", "X-API-Key", "x", 401, ""},
		"behind a proxy":         {"10.1.2.3:1", "X-Forwarded-For", "10.1.2.3", 401, ""},
		"a page":                 {"10.1.2.3:1", "Origin", "https://evil.example", 401, ""},
		"a page without Origin":  {"10.1.2.3:1", "Sec-Fetch-Site", "cross-site", 401, ""},
		"another contact center": {"10.1.2.3:1", "Segue-Contact-Center", "rome", 400, ""},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.caller = nil
			w.settings.Trusted = []engagement.Network{
				{Network: netip.MustParsePrefix("10.0.0.0/8"), ContactCenter: "berlin"}, {Network: netip.MustParsePrefix("10.2.0.0/16"), ContactCenter: "rome"},
			}
			r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/server/data/gateway/engage", strings.NewReader(profile))
			r.RemoteAddr = test.remote
			if test.header != "" {
				r.Header.Set(test.header, test.value)
			}
			answer := w.serve(w.face.Trust(w.face.Strategies(), w.face.Strategies()), r)
			require.Equal(t, test.want, answer.code, answer)
			if test.center != "" {
				require.Contains(t, w.interactions, client.Name{ContactCenter: test.center, ID: "visit-v1"})
			} else {
				require.Empty(t, w.interactions)
			}
		})
	}
	caller := &auth.Caller{Name: "key:y", Role: interaction.RolePlatform, ContactCenters: []string{cc}}
	w := newWorld(t)
	w.caller = caller
	require.Equal(t, 200, w.serve(w.face.Trust(http.NotFoundHandler(), w.face.Strategies()),
		httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/server/data/gateway/engage", strings.NewReader(profile))).code)
}

// The state of an interaction that an operator has terminated says forever that the visitor is being invited.
func TestATerminatedInteractionHasEnded(t *testing.T) {
	terminated := func(t *testing.T) *world {
		w := newWorld(t)
		w.play("visit-v1", "web", `engage {"ixnProfile":{"visitID":"v1","page":"a"}}`)
		i := w.interactions[named("visit-v1")]
		i.until, i.isTerminated = new(w.now.Add(time.Minute)), true
		w.now = w.now.Add(3 * time.Minute)
		return w
	}
	const invited = `200 {"status":"OK","ixnId":"visit-v1","state":"engaging","attempt":1}`
	w := terminated(t)
	require.Equal(t, invited, w.engage(profile).String(), "the same profile")
	require.Equal(t, 1, w.starts-1)
	w = terminated(t)
	require.Equal(t, invited, w.engage(`{"visitID":"v1","page":"b"}`).String())
	w = terminated(t)
	require.Equal(t, 400, w.engage(`{"ixnId":"visit-v1","page":"b"}`).code)
	require.Equal(t, 400, w.noengage(`{"visitID":"v1"}`).code)
}

// Of a run that goes on, only its timer ends the attempt.
func TestAnOpenAttemptIsARepeatUntilItsTimerIsLongOver(t *testing.T) {
	w := newWorld(t)
	w.play("visit-v1", "web", `engage {"ixnProfile":{"visitID":"v1","page":"a"}}`)
	w.interactions[named("visit-v1")].until = new(w.now.Add(time.Minute))
	w.now = w.now.Add(time.Minute + 10*time.Second)
	require.Equal(t, `200 {"status":"OK","ixnId":"visit-v1","state":"engaging","attempt":1,"duplicate":true}`, w.engage(profile).String())
}
