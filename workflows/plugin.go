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
)

// NewPlugin is what every client, worker, replayer and test environment that runs
// Segue's workflows is given, so that all of them see signals in the same order, and
// queries see committed states only.
func NewPlugin() (*temporal.SimplePlugin, error) {
	dataConverter := converter.GetDefaultDataConverter()
	return temporal.NewSimplePlugin(temporal.SimplePluginOptions{
		Name:               "segue",
		DataConverter:      dataConverter,
		WorkerInterceptors: []interceptor.WorkerInterceptor{&orderInterceptor{converter: dataConverter}},
		ConfigureClient: func(_ context.Context, configure client.PluginConfigureClientOptions) error {
			connection := &configure.ClientOptions.ConnectionOptions
			connection.DialOptions = append(connection.DialOptions, grpc.WithChainUnaryInterceptor(committed.Interceptor()))
			return nil
		},
	})
}

// Register adds Segue's workflows to a worker or a replayer. With versioned workers,
// an interaction stays with the version that it began on, unless its channel is one
// of long lives; lanes and receivers, which live for months, go over to every newer one.
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
