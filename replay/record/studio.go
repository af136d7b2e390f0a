package main

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/temporalproto"
	"go.temporal.io/sdk/client"

	"segue/config"
	"segue/connect"
	"segue/contract"
	"segue/embedded"
	"segue/interaction"
	"segue/worker/host"
	"segue/workflows"
)

const (
	taskQueue     = "segue"
	contactCenter = "golden"
)

// studio is an embedded Temporal, a worker that can be paused, and receivers.
type studio struct {
	server   *embedded.Server
	client   client.Client
	receiver *http.Server
	store    *config.Store
	// configured is the configuration's text, also are further histories to keep.
	configured []byte
	also       map[string]string
	stop       context.CancelFunc
	stopped    chan error

	up    atomic.Bool // /down answers
	mu    sync.Mutex
	tries map[string]int
}

func openStudio(ctx context.Context) (*studio, error) {
	s := &studio{tries: map[string]int{}, also: map[string]string{}}
	var err error
	s.server, err = embedded.Start(ctx, embedded.Options{
		UIPort: embedded.NoUI, SearchAttributes: connect.SearchAttributeTypes(),
		Progress: func(text string) { fmt.Fprintln(os.Stderr, text) },
	})
	if err != nil {
		return nil, err
	}
	plugin, err := workflows.NewPlugin()
	if err != nil {
		return nil, err
	}
	quiet := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError}))
	if s.client, err = connect.Dial(ctx, connect.Settings{Address: s.server.Address}, quiet, plugin); err != nil {
		return nil, err
	}
	url, err := s.receive()
	if err != nil {
		return nil, err
	}
	s.configured = fmt.Appendf(nil, configuration, url, strings.TrimSuffix(strings.Repeat("100ms, ", 90), ", "))
	set, err := config.Parse("golden.yaml", s.configured)
	if err != nil {
		return nil, err
	}
	s.store = config.NewStore(set)
	s.work(ctx)
	return s, nil
}

// receive answers by path: /ok at once, /flaky after two 503s for each delivery,
// /gone always 410, /down with 503 until it is up, and the engagement callbacks as GWE documents.
func (s *studio) receive() (url string, err error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/ok", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) })
	mux.HandleFunc("/flaky", func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.tries[r.Header.Get("webhook-id")]++
		tries := s.tries[r.Header.Get("webhook-id")]
		s.mu.Unlock()
		if tries <= 2 {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	})
	mux.HandleFunc("/down", func(w http.ResponseWriter, _ *http.Request) {
		if !s.up.Load() {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	})
	mux.HandleFunc("/gone", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusGone) })
	mux.HandleFunc("/backend/data/gateway/", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) })
	s.receiver = &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	go func() {
		if err := s.receiver.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			fmt.Fprintln(os.Stderr, "receiver:", err)
		}
	}()
	return "http://" + listener.Addr().String(), nil
}

// work starts the worker; pause stops it, so that what is sent meanwhile arrives at once.
func (s *studio) work(ctx context.Context) {
	ctx, s.stop = context.WithCancel(context.WithoutCancel(ctx))
	stopped, store := make(chan error, 1), s.store
	s.stopped = stopped
	go func() {
		stopped <- host.Run(ctx, host.Options{Client: s.client, TaskQueue: taskQueue, Config: store, Log: slog.New(slog.DiscardHandler)})
	}()
}

func (s *studio) pause() error {
	s.stop()
	return <-s.stopped
}

func (s *studio) close() error {
	err := s.pause()
	s.client.Close()
	return errors.Join(err, s.receiver.Close(), s.server.Stop())
}

func interactionID(id string) string { return contract.InteractionWorkflowID(contactCenter, id) }

func laneID(id, call string) string {
	return contract.DeliveryWorkflowID(contract.Owner{ContactCenter: contactCenter, Interaction: id}, call)
}

func receiverID(call string) string { return contract.ReceiverWorkflowID(taskQueue, call) }

func alertID(about, call string) string {
	return contract.DeliveryWorkflowID(contract.Owner{Receiver: contract.ReceiverName(taskQueue, about)}, call)
}

func (s *studio) start(ctx context.Context, id, channel, more string) error {
	input := json.RawMessage(fmt.Sprintf(`{"id":%q,"contact_center":%q,"channel":%q%s}`, id, contactCenter, channel, more))
	_, err := s.client.ExecuteWorkflow(ctx, client.StartWorkflowOptions{ID: interactionID(id), TaskQueue: taskQueue}, contract.WorkflowInteraction, input)
	return err
}

// signals sends commands; a pair is a name and a payload.
func (s *studio) signals(ctx context.Context, id string, commands ...string) error {
	for i := 0; i+1 < len(commands); i += 2 {
		if err := s.client.SignalWorkflow(ctx, interactionID(id), "", commands[i], json.RawMessage(commands[i+1])); err != nil {
			return fmt.Errorf("signal %s: %w", commands[i], err)
		}
	}
	return nil
}

// send sends an update, and returns once it is accepted.
func (s *studio) send(ctx context.Context, id, name, payload string) (client.WorkflowUpdateHandle, error) {
	handle, err := s.client.UpdateWorkflow(ctx, client.UpdateWorkflowOptions{
		WorkflowID: interactionID(id), UpdateName: name, Args: []any{json.RawMessage(payload)}, WaitForStage: client.WorkflowUpdateStageAccepted,
	})
	if err != nil {
		return nil, fmt.Errorf("update %s: %w", name, err)
	}
	return handle, nil
}

// steps sends commands one by one, each answered before the next.
func (s *studio) steps(ctx context.Context, id string, commands ...string) error {
	for i := 0; i+1 < len(commands); i += 2 {
		handle, err := s.send(ctx, id, commands[i], commands[i+1])
		if err == nil {
			err = handle.Get(ctx, nil)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *studio) finished(ctx context.Context, workflowID string) error {
	return s.client.GetWorkflow(ctx, workflowID, "").Get(ctx, nil)
}

// until asks a workflow's deliveries until they are as told.
func (s *studio) until(ctx context.Context, workflowID string, reached func([]contract.DeliveryRecord) bool) error {
	return ask(ctx, s, workflowID, contract.QueryDeliveries, reached)
}

// told waits until operators have been told of a call.
func (s *studio) told(ctx context.Context, call string, when interaction.Moment) error {
	return ask(ctx, s, receiverID(call), contract.QueryState, func(status contract.ReceiverStatus) bool {
		return slices.ContainsFunc(status.Alerts, func(a contract.AlertRecord) bool { return a.Moment == string(when) })
	})
}

// ask queries a workflow until it answers as it should.
func ask[T any](ctx context.Context, s *studio, workflowID, query string, reached func(T) bool) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for {
		var answer T
		value, err := s.client.QueryWorkflow(ctx, workflowID, "", query)
		if err == nil {
			err = value.Get(&answer)
		}
		if err == nil && reached(answer) {
			return nil
		}
		select {
		case <-ctx.Done():
			return errors.Join(fmt.Errorf("%s did not get there: %w", workflowID, context.Cause(ctx)), err)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// export writes every run of a workflow; further runs get a number.
func (s *studio) export(ctx context.Context, workflowID, file string) error {
	runID := ""
	description, err := s.client.DescribeWorkflowExecution(ctx, workflowID, "")
	if err != nil {
		return err
	}
	if first := description.GetWorkflowExecutionInfo().GetFirstRunId(); first != "" {
		runID = first
	}
	for n := 1; ; n++ {
		history, next, err := s.history(ctx, workflowID, runID)
		if err != nil {
			return err
		}
		name := file
		if n > 1 {
			name = fmt.Sprintf("%s.%d.json.gz", file[:len(file)-len(".json.gz")], n)
		}
		if err := write(name, history); err != nil {
			return err
		}
		if next == "" {
			return nil
		}
		runID = next
	}
}

func (s *studio) history(ctx context.Context, workflowID, runID string) (history *historypb.History, next string, err error) {
	history = &historypb.History{}
	pages := s.client.GetWorkflowHistory(ctx, workflowID, runID, false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for pages.HasNext() {
		event, err := pages.Next()
		if err != nil {
			return nil, "", err
		}
		history.Events = append(history.Events, event)
		next = event.GetWorkflowExecutionContinuedAsNewEventAttributes().GetNewExecutionRunId()
	}
	if len(history.Events) == 0 {
		return nil, "", fmt.Errorf("%s has no history", workflowID)
	}
	return history, next, nil
}

func write(file string, history *historypb.History) (err error) {
	out, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return fmt.Errorf("a golden history is never overwritten: %w", err)
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	text, err := temporalproto.CustomJSONMarshalOptions{Indent: " "}.Marshal(history)
	if err != nil {
		return err
	}
	packed := gzip.NewWriter(out)
	if _, err := packed.Write(text); err != nil {
		return err
	}
	return packed.Close()
}
