package workflows

import (
	"context"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
	"google.golang.org/grpc"

	"segue/contract"
	"segue/workflows/committed"
	"segue/workflows/echo"
	"segue/workflows/nexttask"
	"segue/workflows/notices"
)

// Option changes what NewPlugin returns.
type Option func(*options)

type options struct{ notices *notices.Collector }

// WithNotices gives the changes of interactions that Temporal has committed to a sink, for
// clients with workers; nil is no sink. Without a sink no change is collected.
func WithNotices(sink notices.Sink) Option {
	return func(o *options) {
		if sink != nil {
			o.notices = notices.New(sink)
		}
	}
}

// NewPlugin returns the plugin for every client, worker, replayer and test environment that
// runs Segue's workflows. With it, all of them see signals in the same order, and queries
// see committed states only.
//
// Give it to the client, which passes it on to its workers, and make one for each client. With
// a worker's options alone, a run would wait for the next event before it closes.
func NewPlugin(change ...Option) (*temporal.SimplePlugin, error) {
	var given options
	for _, apply := range change {
		apply(&given)
	}
	dataConverter := converter.GetDefaultDataConverter()
	nextTasks := nexttask.New()
	intercept := []grpc.UnaryClientInterceptor{committed.Interceptor(), nextTasks.Interceptor(), echo.Interceptor()}
	if given.notices != nil {
		intercept = append(intercept, given.notices.Interceptor())
	}
	order := &orderInterceptor{converter: dataConverter, nextTasks: nextTasks, notices: given.notices}
	return temporal.NewSimplePlugin(temporal.SimplePluginOptions{
		Name:               "segue",
		DataConverter:      dataConverter,
		WorkerInterceptors: []interceptor.WorkerInterceptor{order},
		ConfigureClient: func(_ context.Context, configure client.PluginConfigureClientOptions) error {
			connection := &configure.ClientOptions.ConnectionOptions
			connection.DialOptions = append(connection.DialOptions, grpc.WithChainUnaryInterceptor(intercept...))
			return nil
		},
	})
}

// Register adds Segue's workflows to a worker or a replayer. With versioned workers, an
// interaction stays on the version on which it began, unless its channel is long-lived.
// Lanes and receivers, which live for months, move to every newer version.
func Register(registry worker.WorkflowRegistry) {
	registry.RegisterWorkflowWithOptions(Interaction, workflow.RegisterOptions{
		Name: contract.WorkflowInteraction, VersioningBehavior: workflow.VersioningBehaviorPinned,
	})
	registry.RegisterWorkflowWithOptions(Delivery, workflow.RegisterOptions{
		Name: contract.WorkflowDelivery, VersioningBehavior: workflow.VersioningBehaviorAutoUpgrade,
	})
	registry.RegisterWorkflowWithOptions(Receiver, workflow.RegisterOptions{
		Name: contract.WorkflowReceiver, VersioningBehavior: workflow.VersioningBehaviorAutoUpgrade,
	})
}
