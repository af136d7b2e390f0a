package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"

	"go.temporal.io/sdk/workflow"
)

// BareCommand is the input of an update or signal of a bare workflow.
type BareCommand struct {
	EventID string          `json:"event_id"`
	Command string          `json:"command"`
	Payload json.RawMessage `json:"payload"`
}

// BareInput returns a command as the input of a bare workflow's update or signal.
func (c Command) BareInput(eventID string) BareCommand {
	return BareCommand{EventID: eventID, Command: c.Name, Payload: c.Payload(eventID)}
}

// Body is the body of a POST; Segue and the bare workflows send the same fields.
type Body struct {
	Interaction string `json:"interaction"`
	Command     string `json:"command"`
	Channel     string `json:"channel"`
	Agent       string `json:"agent"`
}

// BodyOf returns what a bare workflow sends for a command.
func BodyOf(id string, c BareCommand) Body { return Body{id, c.Command, "inbound", "ada"} }

// FloorUpdate is the name of the update of Floor.
const FloorUpdate = "command"

// Floor is the least that a Temporal user could write for the same job: it sends a POST for each update, in a local activity
// of the update's handler, and ends after so many commands.
func Floor(ctx workflow.Context, id, url string, commands int) error {
	done := 0
	handler := func(ctx workflow.Context, c BareCommand) error {
		ctx = workflow.WithLocalActivityOptions(ctx, workflow.LocalActivityOptions{StartToCloseTimeout: 10 * time.Second})
		if err := workflow.ExecuteLocalActivity(ctx, PostActivity, url, c.EventID, BodyOf(id, c)).Get(ctx, nil); err != nil {
			return err
		}
		done++
		return nil
	}
	if err := workflow.SetUpdateHandler(ctx, FloorUpdate, handler); err != nil {
		return err
	}
	return workflow.Await(ctx, func() bool { return done == commands && workflow.AllHandlersFinished(ctx) })
}

// PostActivity is the activity of the bare workflows. They name it: a replayer needs no activity that is named.
const PostActivity = "Post"

// Poster has the activity of the bare workflows. Its client keeps enough connections for every load.
type Poster struct{ http http.Client }

// NewPoster returns a poster without connections.
func NewPoster() *Poster {
	return &Poster{http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 200}}}
}

// Post sends one POST.
func (p *Poster) Post(ctx context.Context, url, webhookID string, b Body) error {
	encoded, err := json.Marshal(b)
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(encoded))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("webhook-id", webhookID)
	response, err := p.http.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		return err
	}
	if response.StatusCode >= http.StatusMultipleChoices {
		return fmt.Errorf("receiver answered %s", response.Status)
	}
	return nil
}
