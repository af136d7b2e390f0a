package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
)

// openSSE opens a stream of GET /v1/events and returns what reads it.
func (l *listeners) openSSE(ctx context.Context, in listening, n int) (read func(context.Context), err error) {
	query := url.Values{"contact_center": {contactCenter}}
	if in.Sharing > 0 {
		query.Set("agent", agentOf(n/in.Sharing))
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, in.URL+"/v1/events?"+query.Encode(), nil)
	if err != nil {
		return nil, err
	}
	response, err := l.client.Do(request)
	if err != nil {
		return nil, err
	}
	if response.StatusCode != http.StatusOK {
		return nil, errors.Join(fmt.Errorf("GET /v1/events is answered with %s", response.Status), response.Body.Close())
	}
	return func(ctx context.Context) { l.readSSE(ctx, n, response) }, nil
}

// readSSE notes the first event of each change. A stream must not repeat an event, lose one, or end.
func (l *listeners) readSSE(ctx context.Context, n int, response *http.Response) {
	defer response.Body.Close()
	var before change
	var id, last []byte
	lines := bufio.NewReader(response.Body)
	for {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			if ctx.Err() == nil {
				l.void(fmt.Errorf("a stream has ended: %w", err))
			}
			return
		}
		line = bytes.TrimSpace(line)
		switch {
		case bytes.HasPrefix(line, []byte("event: resync")), bytes.HasPrefix(line, []byte("event: gap")):
			l.void(fmt.Errorf("a stream had %q", line))
		case bytes.HasPrefix(line, []byte("id: ")):
			id = line
		case bytes.HasPrefix(line, []byte("data: ")):
			if bytes.Equal(id, last) {
				l.void(fmt.Errorf("a stream repeated the event %q", id))
			}
			last = id
			var one change
			if err := json.Unmarshal(line[len("data: "):], &one); err != nil {
				l.void(err)
				continue
			}
			l.note(n, one, one != before)
			before = one
		}
	}
}
