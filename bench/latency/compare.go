package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"sync/atomic"
	"time"

	"go.temporal.io/sdk/client"
	sdkworker "go.temporal.io/sdk/worker"

	"segue/bench/lab"
	"segue/contract"
)

// bench is a lab with a bare worker beside Segue's, and a receiver for both.
type bench struct {
	*lab.Lab
	receiver *receiver
	bare     sdkworker.Worker
}

// receiver notes when each POST arrives, and takes its time to answer.
type receiver struct {
	url      string
	delay    atomic.Int64
	arrivals chan time.Time
	server   *http.Server
}

func openReceiver() (*receiver, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	r := &receiver{url: "http://" + listener.Addr().String() + "/", arrivals: make(chan time.Time, 1)}
	r.server = &http.Server{Handler: r, ReadHeaderTimeout: 5 * time.Second}
	go func() {
		if err := r.server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			fmt.Fprintln(os.Stderr, "receiver:", err)
		}
	}()
	return r, nil
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	arrived := time.Now()
	_, _ = io.Copy(io.Discard, request.Body) // the body does not matter here
	time.Sleep(time.Duration(r.delay.Load()))
	w.WriteHeader(http.StatusOK)
	r.arrivals <- arrived
}

func open(ctx context.Context) (*bench, error) {
	b := &bench{}
	var err error
	if b.receiver, err = openReceiver(); err != nil {
		return nil, err
	}
	b.Lab, err = lab.Open(ctx, fmt.Sprintf(`
calls:
  - name: probe
    method: POST
    url: %s
    json: {id: "${interaction.id}", digits: "${event.digits}"}
triggers:
  - {when: inbound.dtmf, call: probe}
guard: {allow: ["127.0.0.0/8"]}
`, b.receiver.url))
	if err != nil {
		return nil, err
	}
	b.bare = sdkworker.New(b.Client, "bare", sdkworker.Options{})
	b.bare.RegisterWorkflow(Bare)
	b.bare.RegisterActivity(lab.Post)
	return b, b.bare.Start()
}

func (b *bench) close() {
	b.bare.Stop()
	if err := errors.Join(b.Close(), b.receiver.server.Close()); err != nil {
		fmt.Fprintln(os.Stderr, "latency:", err)
	}
}

// compare measures both in turn, command by command, so that a drift of the
// machine's speed meets both alike.
func (b *bench) compare(ctx context.Context, delay time.Duration, samples int, way string) (result, error) {
	b.receiver.delay.Store(int64(delay))
	id := fmt.Sprintf("bench-%d", delay.Milliseconds())
	workflowID := contract.InteractionWorkflowID("bench", id)
	start := json.RawMessage(fmt.Sprintf(`{"id":%q,"contact_center":"bench","channel":"inbound"}`, id))
	if _, err := b.Client.ExecuteWorkflow(ctx, client.StartWorkflowOptions{ID: workflowID, TaskQueue: lab.TaskQueue}, contract.WorkflowInteraction, start); err != nil {
		return result{}, err
	}
	if _, err := b.Client.ExecuteWorkflow(ctx, client.StartWorkflowOptions{ID: "bare-" + id, TaskQueue: "bare"}, Bare, way); err != nil {
		return result{}, err
	}
	var segue, bare []time.Duration
	const warmup = 10
	for i := range samples + warmup {
		took, err := b.once(ctx, workflowID, "dtmf", json.RawMessage(fmt.Sprintf(`{"digits":"%d"}`, i)))
		if err != nil {
			return result{}, fmt.Errorf("segue: %w", err)
		}
		baseline, err := b.once(ctx, "bare-"+id, "post", b.receiver.url)
		if err != nil {
			return result{}, fmt.Errorf("bare: %w", err)
		}
		if i >= warmup {
			segue, bare = append(segue, took), append(bare, baseline)
		}
	}
	return result{
		ReceiverMS: lab.MS(delay), Samples: samples, Bare: way,
		SegueP50: lab.MS(lab.Quantile(segue, 0.5)), SegueP95: lab.MS(lab.Quantile(segue, 0.95)),
		BareP50: lab.MS(lab.Quantile(bare, 0.5)), BareP95: lab.MS(lab.Quantile(bare, 0.95)),
		Ratio: float64(lab.Quantile(segue, 0.5)) / float64(lab.Quantile(bare, 0.5)),
	}, nil
}

// once sends one command and waits for its POST, its answer, and the rest that
// makes the server idle again.
func (b *bench) once(ctx context.Context, workflowID, update string, payload any) (time.Duration, error) {
	begin := time.Now()
	handle, err := b.Client.UpdateWorkflow(ctx, client.UpdateWorkflowOptions{
		WorkflowID: workflowID, UpdateName: update, Args: []any{payload}, WaitForStage: client.WorkflowUpdateStageCompleted,
	})
	if err != nil {
		return 0, err
	}
	if err := handle.Get(ctx, nil); err != nil {
		return 0, err
	}
	select {
	case arrived := <-b.receiver.arrivals:
		return arrived.Sub(begin), b.idle(ctx, workflowID)
	case <-ctx.Done():
		return 0, context.Cause(ctx)
	case <-time.After(30 * time.Second):
		return 0, errors.New("the POST did not come within 30 s")
	}
}

// idle waits until the workflow has no activity under way.
func (b *bench) idle(ctx context.Context, workflowID string) error {
	for {
		description, err := b.Client.DescribeWorkflowExecution(ctx, workflowID, "")
		if err != nil {
			return err
		}
		if len(description.GetPendingActivities()) == 0 && description.GetPendingWorkflowTask() == nil {
			return nil
		}
		time.Sleep(2 * time.Millisecond)
	}
}
