package gws

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/http"

	"segue/gateway/gws/view"
	"segue/gateway/index"
)

// writeList answers with a list: URIs, or whole resources if the query has fields. It writes one element
// after the other, for a contact center may have 20,000 active interactions.
func (f *face) writeList(q *request, is kind, entries []*index.Entry) (any, error) {
	list := newListWriter(q)
	key := "uris"
	if q.wantsAll("fields") {
		key = is.several
	}
	list.begin(key)
	for _, e := range entries {
		list.element(q.element(is, e))
	}
	return nil, list.end()
}

// element returns an interaction as the list shows it.
func (q *request) element(is kind, e *index.Entry) any {
	if !q.wantsAll("fields") {
		return view.URI(q.base, is.path[1:], e.State.ID)
	}
	return q.resource(e)
}

// resource returns an interaction of the index as the caller sees it.
func (q *request) resource(e *index.Entry) *view.Resource {
	return view.Of(view.Look{State: e.State, CapabilitiesFor: e.CapabilitiesFor}, q.agent(), q.base)
}

// listWriter writes {"statusCode":0,"KEY":[…]} to the client. After an error it writes no more.
type listWriter struct {
	out   *bufio.Writer
	count int
	err   error
}

const listBuffer = 32 << 10

func newListWriter(q *request) *listWriter {
	q.writer.Header().Set("Content-Type", "application/json")
	q.writer.WriteHeader(http.StatusOK)
	return &listWriter{out: bufio.NewWriterSize(q.writer, listBuffer)}
}

func (l *listWriter) begin(key string) { l.text(fmt.Sprintf(`{"statusCode":%d,"%s":[`, codeOK, key)) }

func (l *listWriter) text(text string) {
	if l.err == nil {
		_, l.err = l.out.WriteString(text)
	}
}

func (l *listWriter) element(value any) {
	if l.err != nil {
		return
	}
	encoded, err := json.Marshal(value)
	if err != nil {
		l.err = err
		return
	}
	if l.count > 0 {
		l.text(",")
	}
	l.count++
	l.text(string(encoded))
}

// end completes the list.
func (l *listWriter) end() error { return l.close("]}") }

// close ends the answer. If it is incomplete, it is cut off, so that nobody takes a part for the whole.
func (l *listWriter) close(text string) error {
	l.text(text)
	if l.err == nil {
		l.err = l.out.Flush()
	}
	if l.err != nil {
		panic(http.ErrAbortHandler)
	}
	return nil
}
