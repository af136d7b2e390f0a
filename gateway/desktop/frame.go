package desktop

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"unicode"

	"segue/gateway/body"
	"segue/gateway/desktop/view"
	"segue/gateway/problem"
)

// eventFrame is an event on the wire.
type eventFrame struct {
	MessageType string `json:"messageType"`
	Target      string `json:"target"`
	Name        string `json:"name"`
	Data        any    `json:"data"`
	Sequence    int64  `json:"sequence"`
	Revision    int64  `json:"revision"`
}

func encodeEvent(session string, e *view.Event) []byte {
	target := session
	if e.Target != "" {
		target += "." + e.Target
	}
	return encode(eventFrame{"objectEvent", target, e.Name, e.Data, e.Sequence, e.Revision})
}

// answerFrame is an answer on the wire. Command, target and request id are as they came.
type answerFrame struct {
	MessageType string          `json:"messageType,omitempty"`
	Command     json.RawMessage `json:"command"`
	Target      json.RawMessage `json:"target,omitempty"`
	RequestID   json.RawMessage `json:"requestId,omitempty"`
	Result      string          `json:"result"`
	Message     string          `json:"message,omitempty"`
	Data        any             `json:"data,omitempty"`
	Failure     *failure        `json:"failure,omitempty"`
	Original    json.RawMessage `json:"original,omitempty"`
}

// failure is why a request was refused.
type failure struct {
	Code    string `json:"code"`
	Message string `json:"message"`
	Context string `json:"context"`
}

// coreErrorFrame answers what is no request.
type coreErrorFrame struct {
	MessageType string `json:"messageType"`
	Error       coded  `json:"error"`
}

type coded struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

func coreError(p *problem.Problem) []byte {
	return encode(coreErrorFrame{"coreError", coded{codeOf(p), messageOf(p)}})
}

// encode writes a frame. A < stays as it is.
func encode(frame any) []byte {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(frame); err != nil {
		// Cannot happen: what is in it came as JSON.
		return []byte(`{"messageType":"coreError","error":{"code":"INTERNAL","message":"Internal error"}}`)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

// request is one request of a client.
type request struct {
	fields  *body.Object
	raw     json.RawMessage
	command string
	data    *body.Object
	// found is the object that the target names.
	found view.Found
	// session is nil until prepareSession.
	session *session
	socket  *socket
}

// parse reads a frame. The error is about a frame that is no request at all.
func parse(frame []byte) (*request, error) {
	if len(bytes.TrimSpace(frame)) == 0 {
		return nil, problem.New(problem.Malformed, "The frame is empty; send one JSON object.")
	}
	fields, err := body.ReadObject(frame)
	if err != nil {
		return nil, problem.New(problem.Malformed, fmt.Sprintf("The frame is no request: %s.", strings.Replace(err.Error(), "the body", "the frame", 1)))
	}
	q := &request{fields: fields, raw: frame}
	var isText bool
	if q.command, isText = fields.Text("command"); !isText || q.command == "" {
		return nil, problem.New(problem.Malformed, "The frame has no command; send a text in quotes.")
	}
	return q, nil
}

// read checks the parts that all requests have.
func (q *request) read() error {
	if _, isText := q.fields.Text("messageType"); !isText {
		return invalid("messageType", q.fields.Values["messageType"], "is not a text; send a text in quotes, or none")
	}
	if _, err := q.requestID(); err != nil {
		return err
	}
	given := q.fields.Values["data"]
	if isNone(given) {
		given = json.RawMessage("{}")
	}
	if given[0] != '{' {
		return invalid("data", given, "is not an object; send {…}")
	}
	var err error
	q.data, err = body.ReadObject(given)
	return err
}

// maxRequestID bounds a request id, in bytes.
const maxRequestID = 128

// requestID returns the id of the request; empty if it has none.
func (q *request) requestID() (string, error) {
	given := q.fields.Values["requestId"]
	if isNone(given) {
		return "", nil
	}
	id := string(given)
	switch given[0] {
	case '"':
		if json.Unmarshal(given, &id) != nil {
			return "", invalid("requestId", given, "is not a text")
		}
	case '{', '[', 't', 'f':
		return "", invalid("requestId", given, "is neither a text nor a number; send one of these")
	}
	switch {
	case len(id) > maxRequestID:
		return "", invalid("requestId", given, fmt.Sprintf("has %d bytes; send at most %d", len(id), maxRequestID))
	case strings.ContainsFunc(id, unicode.IsControl):
		return "", invalid("requestId", given, "has a control character; remove it")
	}
	return id, nil
}

// path returns the ids of the target.
func (q *request) path() ([]string, error) {
	target, isText := q.fields.Text("target")
	switch {
	case !isText:
		return nil, invalid("target", q.fields.Values["target"], "is not a text; send a text in quotes")
	case target == "":
		return nil, invalid("target", nil, "is missing; name the object, beginning with the sessionId")
	}
	path := strings.Split(target, ".")
	for n, segment := range path {
		id, err := url.PathUnescape(segment)
		if err != nil || id == "" {
			return nil, invalid("target", q.fields.Values["target"], "is not a path of ids, separated by dots; escape an id, and write a dot in it as %2E")
		}
		path[n] = id
	}
	return path, nil
}

// answer starts the answer to a request.
func (q *request) answer(result string) answerFrame {
	kind, _ := q.fields.Text("messageType")
	if stem, isRequest := strings.CutSuffix(kind, "Request"); isRequest {
		kind = stem + "Response"
	}
	return answerFrame{MessageType: kind, Command: q.fields.Values["command"], Target: q.fields.Values["target"],
		RequestID: q.fields.Values["requestId"], Result: result}
}

// succeeded answers a request that was done; nothing for an answer without data.
func (q *request) succeeded(data any) []byte {
	frame := q.answer("success")
	if _, isNothing := data.(nothing); !isNothing {
		frame.Data = data
	}
	return encode(frame)
}

// nothing is the data of an answer without any.
type nothing struct{}

func (q *request) failed(p *problem.Problem) []byte {
	frame := q.answer("failure")
	frame.Failure = &failure{Code: codeOf(p), Message: messageOf(p), Context: contextOf(p)}
	frame.Original = q.raw
	return encode(frame)
}

// echoed is the data of a request, as it came.
func (q *request) echoed() any {
	if given := q.fields.Values["data"]; !isNone(given) {
		return given
	}
	return view.Nothing{}
}
