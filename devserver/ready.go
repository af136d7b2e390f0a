package main

import (
	"context"
	"fmt"
	"net/http"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/operatorservice/v1"
	"go.temporal.io/api/workflowservice/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
)

const (
	// pollPause is the pause between two checks of a server that is not ready.
	pollPause = 10 * time.Millisecond
	// frontendHealth is the service name of the frontend's health check.
	frontendHealth = "temporal.api.workflowservice.v1.WorkflowService"
)

// waitUntilReady returns when the frontend is healthy, the namespace is usable with all its search attributes, and the UI
// answers. It returns the error of the last check when ctx ends.
func (i *instance) waitUntilReady(ctx context.Context) error {
	conn, err := grpc.NewClient(i.address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return fmt.Errorf("connect to the server just started: %w", err)
	}
	defer conn.Close()

	health := healthpb.NewHealthClient(conn)
	workflows := workflowservice.NewWorkflowServiceClient(conn)
	operator := operatorservice.NewOperatorServiceClient(conn)

	steps := []struct {
		what string
		check func(context.Context) error
	}{
		{"the frontend to be healthy", func(ctx context.Context) error { return healthy(ctx, health) }},
		{"the namespace", func(ctx context.Context) error { return describe(ctx, workflows, i.options.namespace) }},
		{"the search attributes", func(ctx context.Context) error { return i.addSearchAttributes(ctx, operator) }},
		{"the history service", func(ctx context.Context) error { return list(ctx, workflows, i.options.namespace) }},
		{"the UI", func(ctx context.Context) error { return i.uiAnswers(ctx) }},
	}
	for _, step := range steps {
		if err := until(ctx, step.check); err != nil {
			return fmt.Errorf("wait for %s: %w", step.what, err)
		}
	}
	i.settings.knowAttributes(i.addedAttributes)
	return nil
}

// until calls check until it returns nil. When ctx ends, until returns the last error.
func until(ctx context.Context, check func(context.Context) error) error {
	pause := time.NewTicker(pollPause)
	defer pause.Stop()
	for {
		err := check(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return err
		case <-pause.C:
		}
	}
}

func healthy(ctx context.Context, health healthpb.HealthClient) error {
	answer, err := health.Check(ctx, &healthpb.HealthCheckRequest{Service: frontendHealth})
	if err != nil {
		return err
	}
	if answer.GetStatus() != healthpb.HealthCheckResponse_SERVING {
		return fmt.Errorf("its status is %s", answer.GetStatus())
	}
	return nil
}

func describe(ctx context.Context, workflows workflowservice.WorkflowServiceClient, namespace string) error {
	_, err := workflows.DescribeNamespace(ctx, &workflowservice.DescribeNamespaceRequest{Namespace: namespace})
	return err
}

func list(ctx context.Context, workflows workflowservice.WorkflowServiceClient, namespace string) error {
	_, err := workflows.ListWorkflowExecutions(ctx, &workflowservice.ListWorkflowExecutionsRequest{Namespace: namespace, PageSize: 1})
	return err
}

// addSearchAttributes adds the search attributes that a namespace of an earlier start lacks; a new namespace has all. It
// returns an error after adding, so that the next check sees them.
func (i *instance) addSearchAttributes(ctx context.Context, operator operatorservice.OperatorServiceClient) error {
	present, err := operator.ListSearchAttributes(ctx, &operatorservice.ListSearchAttributesRequest{Namespace: i.options.namespace})
	if err != nil {
		return err
	}
	missing := map[string]enumspb.IndexedValueType{}
	for name, valueType := range i.options.searchAttributes {
		if _, ok := present.GetCustomAttributes()[name]; !ok {
			missing[name] = valueType
		}
	}
	if len(missing) == 0 {
		return nil
	}
	_, err = operator.AddSearchAttributes(ctx, &operatorservice.AddSearchAttributesRequest{
		Namespace: i.options.namespace, SearchAttributes: missing,
	})
	if err != nil {
		return err
	}
	i.addedAttributes = true
	return fmt.Errorf("%d search attributes were just added", len(missing))
}

func (i *instance) uiAnswers(ctx context.Context) error {
	if i.ui == nil {
		return nil
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, i.uiAddress+"/api/v1/settings", nil)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("the UI answers %s", response.Status)
	}
	return nil
}
