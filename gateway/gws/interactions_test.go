package gws_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"segue/client"
	"segue/gateway/gws"
	"segue/gateway/gws/view"
)

func TestEveryOperationHasItsInput(t *testing.T) {
	for _, op := range view.Operations {
		require.True(t, gws.HasInput(op.Name), op.Name)
	}
}

// each operation, from where it is legal, with its documented input.
func TestOperationsBecomeCommands(t *testing.T) {
	offer, accept := `offer {"agent":"anna"}`, `accept {"agent":"anna"}`
	handled := []string{offer, accept}
	consulted := append(handled[:2:2], `consult {"to":{"agent":"bert"}}`)
	for name, test := range map[string]struct {
		channel string
		before  []string
		body    string
		sends   string
	}{
		"accept":                   {"chat", []string{offer}, `{"operationName":"Accept","nickname":"Anna"}`, `accept {"nickname":"Anna"}`},
		"answer":                   {"inbound", []string{offer}, `{"operationName":"Answer"}`, `accept {}`},
		"accept a call":            {"inbound", []string{offer}, `{"operationName":"Accept"}`, `accept {}`},
		"pull from a queue":        {"email", []string{`place_in_queue {"queue":"sales"}`}, `{"operationName":"Accept"}`, `accept {}`},
		"reject":                   {"email", []string{offer}, `{"operationName":"Reject","reason":"busy"}`, `reject {"reason":"busy"}`},
		"complete":                 {"email", handled, `{"operationName":"Complete"}`, `complete {}`},
		"stop processing":          {"email", handled, `{"operationName":"StopProcessing"}`, `complete {}`},
		"complete, disposition":    {"email", handled, `{"operationName":"Complete","disposition":"sold"}`, `complete {"disposition":{"code":"sold"}}`},
		"complete into a queue":    {"email", handled, `{"operationName":"Complete","queueName":"billing"}`, `place_in_queue {"queue":"billing"}`},
		"place in queue":           {"email", handled, `{"operationName":"PlaceInQueue","queueName":"billing"}`, `place_in_queue {"queue":"billing"}`},
		"place in queue by URI":    {"email", handled, `{"operationName":"PlaceInQueue","queueUri":"http://x/api/v2/queues/billing%20eu/"}`, `place_in_queue {"queue":"billing eu"}`},
		"attach":                   {"email", handled, `{"operationName":"AttachUserData","userData":{"a":12345678901234567890}}`, `attach_user_data {"user_data":{"a":12345678901234567890}}`},
		"update":                   {"email", handled, `{"operationName":"UpdateUserData","userData":{"f":{"a":1}}}`, `update_user_data {"user_data":{"f":{"a":1}}}`},
		"delete":                   {"email", handled, `{"operationName":"DeleteUserData","userData":{"f":{"a":1}}}`, `delete_user_data {"user_data":{"f":{"a":1}}}`},
		"delete one":               {"email", handled, `{"operationName":"DeleteUserDataPair","key":"f"}`, `delete_user_data {"keys":["f"]}`},
		"delete one, as userData":  {"inbound", handled, `{"operationName":"DeleteUserDataPair","userData":{"f":""}}`, `delete_user_data {"user_data":{"f":""}}`},
		"delete keys":              {"chat", handled, `{"operationName":"DeleteUserData","keys":["f","g"]}`, `delete_user_data {"keys":["f","g"]}`},
		"delete all that is named": {"chat", handled, `{"operationName":"DeleteUserData","userData":{"f":{"a":1}},"keys":["g"],"key":"h"}`, `delete_user_data {"keys":["g","h"],"user_data":{"f":{"a":1}}}`},
		"place in workbin":         {"email", handled, `{"operationName":"PlaceInWorkbin","workbin":"later"}`, `place_in_workbin {"workbin":"later"}`},
		"place in workbin by id":   {"email", handled, `{"operationName":"PlaceInWorkbin","workbinId":"later"}`, `place_in_workbin {"workbin":"later"}`},
		"workbin object":           {"email", handled, `{"operationName":"PlaceInWorkbin","workbin":{"name":"later","place":7}}`, `place_in_workbin {"workbin":{"name":"later","place":7}}`},
		"id of a workbin object":   {"email", handled, `{"operationName":"PlaceInWorkbin","workbin":"{\"name\":\"later\",\"place\":7}"}`, `place_in_workbin {"workbin":{"name":"later","place":7}}`},
		"transfer":                 {"email", handled, `{"operationName":"Transfer","userId":"bert"}`, `transfer {"to":{"agent":"bert"}}`},
		"single step transfer":     {"chat", handled, `{"operationName":"SingleStepTransfer","userUri":"https://x/api/v2/users/bert"}`, `transfer {"to":{"agent":"bert"}}`},
		"transfer to a target":     {"inbound", handled, `{"operationName":"SingleStepTransfer","targetUri":"/users/bert"}`, `transfer {"to":{"agent":"bert"}}`},
		"transfer to a contact":    {"sms", handled, `{"operationName":"Transfer","targetUri":"http://x/api/v2/contacts/bert"}`, `transfer {"to":{"agent":"bert"}}`},
		"transfer to a path":       {"inbound", handled, `{"operationName":"SingleStepTransfer","targetPath":"queues/sales"}`, `transfer {"to":{"queue":"sales"}}`},
		"transfer to a queue":      {"inbound", handled, `{"operationName":"Transfer","queueName":"sales"}`, `transfer {"to":{"queue":"sales"}}`},
		"transfer to a number":     {"inbound", handled, `{"operationName":"SingleStepTransfer","destination":{"phoneNumber":"5001"}}`, `transfer {"to":{"number":"5001"}}`},
		"transfer to an address":   {"inbound", handled, `{"operationName":"SingleStepTransfer","targetUri":"sip:5001@example.com"}`, `transfer {"to":{"number":"sip:5001@example.com"}}`},
		"reply":                    {"email", handled, `{"operationName":"Reply","userData":{"a":1},"text":"Hello","quoteOriginal":true,"other":7}`, `reply {"quoteOriginal":true,"text":"Hello","user_data":{"a":1}}`},
		"reply to all":             {"email", handled, `{"operationName":"ReplyAll","subjectPrefix":"Re: "}`, `reply {"all":true,"subjectPrefix":"Re: "}`},
		"disposition":              {"email", handled, `{"operationName":"SetDisposition","disposition":"sold"}`, `set_disposition {"code":"sold"}`},
		"disposition object":       {"email", handled, `{"operationName":"SetDisposition","disposition":{"name":"sold","notes":"two"}}`, `set_disposition {"code":"sold","notes":"two"}`},
		"comment":                  {"email", handled, `{"operationName":"AddComment","comment":"call back"}`, `set_attributes {"comment":"call back"}`},
		"empty comment":            {"email", handled, `{"operationName":"AddComment","comment":""}`, `set_attributes {"comment":""}`},
		"hold":                     {"inbound", handled, `{"operationName":"Hold"}`, `hold {}`},
		"hang up":                  {"inbound", handled, `{"operationName":"Hangup"}`, `disconnect {}`},
		"hang up a consultation":   {"inbound", consulted, `{"operationName":"Hangup"}`, `retrieve {}`},
		"leave a chat":             {"chat", handled, `{"operationName":"Leave"}`, `disconnect {}`},
		"consult":                  {"inbound", handled, `{"operationName":"InitiateTransfer","destination":{"phoneNumber":"5001"}}`, `consult {"to":{"number":"5001"}}`},
		"complete a transfer":      {"inbound", consulted, `{"operationName":"CompleteTransfer"}`, `transfer {"mode":"consult"}`},
		"conference":               {"inbound", handled, `{"operationName":"SingleStepConference","userId":"bert"}`, `conference {"agent":"bert"}`},
		"conference, number":       {"inbound", handled, `{"operationName":"SingleStepConference","destination":{"phoneNumber":"5001"}}`, `conference {"party":"5001"}`},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.start("i1", test.channel, test.before...)
			a := w.post("anna", "i1", test.body).is(200, 0)
			require.Equal(t, map[string]any{"statusCode": 0.0, "status": "ok", "referenceId": 1.0}, a.body)
			require.Len(t, w.sent, 1)
			require.Equal(t, test.sends, w.last())
			require.Equal(t, map[string]any{"id": "anna", "role": "agent"}, w.sent[0].payload["by"])
			require.Contains(t, w.awaited, client.Name{ContactCenter: cc, ID: "i1"})
		})
	}
}

func TestADraftIsCanceledOrSent(t *testing.T) {
	for body, want := range map[string]struct {
		status any
		sends  string
	}{
		`{"operationName":"Cancel"}`:                      {0.0, `cancel {}`},
		`{"operationName":"Send","disposition":"x"}`:      {"ok", `complete {"disposition":{"code":"x"}}`},
		`{"operationName":"Complete","referenceId":null}`: {"ok", `complete {}`},
	} {
		w := newWorld(t)
		w.startWith("d1", `{"id":"d1","contact_center":"berlin","channel":"email","draft":true,"agent":"anna"}`)
		a := w.post("anna", "d1", body).is(200, 0)
		require.Equal(t, want.status, a.body["status"])
		require.Equal(t, want.sends, w.last())
	}
	w := newWorld(t)
	w.start("i1", "email", `offer {"agent":"anna"}`, `accept {"agent":"anna"}`)
	w.post("anna", "i1", `{"operationName":"Send"}`).is(200, 2)
	w.post("anna", "i1", `{"operationName":"Cancel"}`).is(200, 5)
}

func TestAReplyIsAnsweredWhenTheListsHaveItsDraft(t *testing.T) {
	w := newWorld(t)
	w.start("i1", "email", `offer {"agent":"anna"}`, `accept {"agent":"anna"}`)
	w.post("anna", "i1", `{"operationName":"Reply"}`).is(200, 0)
	require.Equal(t, []client.Name{{ContactCenter: cc, ID: "i1"}, {ContactCenter: cc, ID: "child"}}, w.awaited)
}

// What is refused, and how.
func TestRefusedOperations(t *testing.T) {
	handled := []string{`offer {"agent":"anna"}`, `accept {"agent":"anna"}`}
	for name, test := range map[string]struct {
		who, body string
		code      int
		says      string
	}{
		"no name":                {"anna", `{}`, 1, "operationName: is missing"},
		"an empty body":          {"anna", ``, 1, "operationName: is missing"},
		"a name that is no text": {"anna", `{"operationName":7}`, 10, "operationName: 7 is not a text"},
		"an unknown name":        {"anna", `{"operationName":"Re-direct"}`, 3, `"Re-direct" is no operation`},
		"another case":           {"anna", `{"operationName":"complete"}`, 3, `"complete" is no operation`},
		"another medium":         {"anna", `{"operationName":"Hold"}`, 3, "emails"},
		"not legal now":          {"anna", `{"operationName":"Reject"}`, 2, "reject is not legal in state handling"},
		"not this agent":         {"bert", `{"operationName":"Complete"}`, 2, "leave is not legal"},
		"no part":                {"bert", `{"operationName":"AttachUserData","userData":{"a":1}}`, 5, "bert takes no part"},
		"no queue":               {"anna", `{"operationName":"PlaceInQueue"}`, 1, "queueName: is missing"},
		"a queue of no text":     {"anna", `{"operationName":"PlaceInQueue","queueName":["a"]}`, 10, `queueName: ["a"] is not a text`},
		"a URI of no queue":      {"anna", `{"operationName":"PlaceInQueue","queueUri":"http://x/users/a"}`, 10, "queueUri:"},
		"no user data":           {"anna", `{"operationName":"AttachUserData"}`, 1, "userData: is missing"},
		"user data of no object": {"anna", `{"operationName":"AttachUserData","userData":[1]}`, 10, "userData: [1] is not an object"},
		"no key":                 {"anna", `{"operationName":"DeleteUserDataPair"}`, 1, "key: is missing"},
		"no keys":                {"anna", `{"operationName":"DeleteUserData","keys":[]}`, 1, "userData: is missing"},
		"odd keys":               {"anna", `{"operationName":"DeleteUserData","keys":["a",null]}`, 10, `keys: ["a",null] is not an array of texts`},
		"one key as keys":        {"anna", `{"operationName":"DeleteUserData","keys":"a"}`, 10, "keys:"},
		"no workbin":             {"anna", `{"operationName":"PlaceInWorkbin"}`, 1, "workbin: is missing"},
		"an odd workbin":         {"anna", `{"operationName":"PlaceInWorkbin","workbin":7}`, 10, "workbin: 7"},
		"an empty workbin":       {"anna", `{"operationName":"PlaceInWorkbin","workbin":{}}`, 10, "workbin"},
		"no target":              {"anna", `{"operationName":"Transfer"}`, 1, "userId: is missing"},
		"no number":              {"anna", `{"operationName":"Transfer","destination":{}}`, 1, "destination.phoneNumber: is missing"},
		"an odd number":          {"anna", `{"operationName":"Transfer","destination":{"phoneNumber":5001}}`, 10, "destination.phoneNumber: 5001 is not a text"},
		"to oneself":             {"anna", `{"operationName":"Transfer","userId":"anna"}`, 2, "anna already has the interaction"},
		"no disposition":         {"anna", `{"operationName":"SetDisposition"}`, 1, "disposition: is missing"},
		"disposition, no code":   {"anna", `{"operationName":"SetDisposition","disposition":{}}`, 1, "disposition.code: is missing"},
		"an odd disposition":     {"anna", `{"operationName":"SetDisposition","disposition":7}`, 10, "disposition: 7 is not a text"},
		"no comment":             {"anna", `{"operationName":"AddComment"}`, 1, "comment: is missing"},
		"an odd quote":           {"anna", `{"operationName":"Reply","quoteOriginal":"yes"}`, 10, "quoteOriginal:"},
		"an odd text":            {"anna", `{"operationName":"Reply","text":{}}`, 10, "text: {} is not a text"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.start("i1", "email", handled...)
			a := w.post(test.who, "i1", test.body).is(200, test.code)
			require.Contains(t, a.body["statusMessage"], test.says)
		})
	}
}

func TestARequestThatCannotBeRead(t *testing.T) {
	w := newWorld(t)
	w.start("i1", "email")
	for body, status := range map[string]int{
		"{\"operationName\":\"PlaceInQueue\"\n\"queueName\":\"sales\"}": 400,
		`[]`: 400, `null`: 400, `{"a":1,"a":2}`: 400, `{"operationName":"Accept","referenceId":{}}`: 400, `{"operationName":"Accept","contact_center":7}`: 400,
		`{"a":"` + string(make([]byte, 256<<10)) + `"}`: 413,
	} {
		w.post("anna", "i1", body).is(status, 10)
	}
	w.do("anna", "POST /api/v2/me/interactions/i1", "operationName=Accept", "Content-Type", "application/x-www-form-urlencoded").is(415, 10)
	require.Empty(t, w.sent)
}

func TestAnAcceptThatIsRepeatedSucceeds(t *testing.T) {
	w := newWorld(t)
	w.start("i1", "email", `offer {"agents":["anna","bert"]}`)
	accept := `{"operationName":"Accept"}`
	w.post("anna", "i1", accept).is(200, 0)
	w.post("anna", "i1", accept).is(200, 0)
	require.Len(t, w.sent, 1, "the second one does nothing")
	w.post("bert", "i1", accept).is(200, 2)

	w.start("i2", "email", `offer {"agents":["anna","bert"]}`)
	w.meanwhile = func() { w.post("anna", "i2", accept).is(200, 0) }
	w.post("anna", "i2", accept).is(200, 0)
	w.start("i3", "email", `offer {"agents":["anna","bert"]}`)
	w.meanwhile = func() { w.post("bert", "i3", accept).is(200, 0) }
	w.post("anna", "i3", accept).is(200, 2)
}

func TestEndedInteractions(t *testing.T) {
	w := newWorld(t)
	w.start("i1", "email", `offer {"agent":"anna"}`, `accept {"agent":"anna"}`, `complete`)
	for _, name := range []string{"Accept", "Complete", "SetInFocus", "AddComment"} {
		w.post("anna", "i1", `{"operationName":"`+name+`","comment":"x"}`).is(200, 2)
		w.post("bert", "i1", `{"operationName":"`+name+`","comment":"x"}`).is(404, 6)
	}
	w.do("anna", "GET /api/v2/interactions/i1", "").is(200, 0)
	w.do("bert", "GET /api/v2/interactions/i1", "").is(404, 6)
	w.do("supervisor", "GET /api/v2/interactions/i1", "").is(200, 0)
	require.Empty(t, w.do("anna", "GET /api/v2/interactions", "").is(200, 0).body["uris"])
}

func TestUpdates(t *testing.T) {
	for name, test := range map[string]struct {
		who, body string
		code      int
		sends     []string
	}{
		"user data":     {"anna", `{"userData":{"a":1}}`, 0, []string{`update_user_data {"user_data":{"a":1}}`}},
		"all":           {"anna", `{"comment":"c","disposition":"d","userData":{"a":1}}`, 0, []string{`update_user_data {"user_data":{"a":1}}`, `set_disposition {"code":"d"}`, `set_attributes {"comment":"c"}`}},
		"none":          {"anna", `{"userData":null,"other":1}`, 1, nil},
		"a wrong one":   {"anna", `{"userData":{"a":1},"comment":7}`, 10, nil},
		"all refused":   {"bert", `{"comment":"c","userData":{"a":1}}`, 5, []string{`update_user_data {"user_data":{"a":1}}`, `set_attributes {"comment":"c"}`}},
		"a refused one": {"anna", `{"userData":{"a":1},"disposition":"` + fmt.Sprintf("%0300d", 1) + `"}`, 7, []string{`update_user_data {"user_data":{"a":1}}`, `set_disposition {"code":"` + fmt.Sprintf("%0300d", 1) + `"}`}},
		"a supervisor":  {"supervisor", `{"comment":"c"}`, 0, []string{`set_attributes {"comment":"c"}`}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.start("i1", "email", `offer {"agent":"anna"}`, `accept {"agent":"anna"}`)
			w.do(test.who, "PUT /api/v2/interactions/i1", test.body).is(200, test.code)
			var sends []string
			for _, one := range w.sent {
				sends = append(sends, one.String())
			}
			require.Equal(t, test.sends, sends)
		})
	}
}

func TestNoAnswerOfTemporal(t *testing.T) {
	w := newWorld(t)
	w.start("i1", "email", `offer {"agent":"anna"}`)
	w.meanwhile = func() { w.fails = context.DeadlineExceeded }
	a := w.post("anna", "i1", `{"operationName":"Accept"}`).is(503, 4)
	require.NotEmpty(t, a.Header().Get("Retry-After"))
	require.Contains(t, a.body["statusMessage"], "Read the interaction before you send the request again.")
	w.fails = client.ErrUnreachable
	a = w.do("anna", "GET /api/v2/interactions/i1", "").is(503, 4)
	require.NotContains(t, a.body["statusMessage"], "outcome")
}

func TestReferences(t *testing.T) {
	w := newWorld(t)
	w.start("i1", "email", `offer {"agent":"anna"}`, `accept {"agent":"anna"}`)
	for given, want := range map[string]any{`7`: 7.0, `"a-7"`: "a-7"} {
		a := w.post("anna", "i1", `{"operationName":"AddComment","comment":"c","referenceId":`+given+`}`).is(200, 0)
		require.Equal(t, want, a.body["referenceId"])
		id, _ := w.sent[len(w.sent)-1].payload["event_id"].(string)
		require.Equal(t, given, string(view.ReferenceOf(id)))
	}
	first := w.post("anna", "i1", `{"operationName":"SetInFocus"}`).body["referenceId"]
	second := w.post("anna", "i1", `{"operationName":"SetInFocus"}`).body["referenceId"]
	require.Greater(t, second, first)
}
