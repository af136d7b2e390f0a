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
	"segue/workflows/nexttask"
)

// NewPlugin returns the plugin for every client, worker, replayer and test environment that
// runs Segue's workflows. With it, all of them see signals in the same order, and queries
// see committed states only.
//
// Give it to the client, which passes it on to its workers, and make one for each client. With
// a worker's options alone, a run would wait for the next event before it closes.
func NewPlugin() (*temporal.SimplePlugin, error) {
	dataConverter := converter.GetDefaultDataConverter()
	nextTasks := nexttask.New()
	return temporal.NewSimplePlugin(temporal.SimplePluginOptions{
		Name:               "segue",
		DataConverter:      dataConverter,
		WorkerInterceptors: []interceptor.WorkerInterceptor{&orderInterceptor{converter: dataConverter, nextTasks: nextTasks}},
		ConfigureClient: func(_ context.Context, configure client.PluginConfigureClientOptions) error {
			connection := &configure.ClientOptions.ConnectionOptions
			connection.DialOptions = append(connection.DialOptions, grpc.WithChainUnaryInterceptor(committed.Interceptor(), nextTasks.Interceptor()))
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
