package workflows

import (
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
)

// NewPlugin is what every client, worker, replayer and test environment that runs
// Segue's workflows is given, so that all of them see signals in the same order.
func NewPlugin() (*temporal.SimplePlugin, error) {
	dataConverter := converter.GetDefaultDataConverter()
	return temporal.NewSimplePlugin(temporal.SimplePluginOptions{
		Name:               "segue",
		DataConverter:      dataConverter,
		WorkerInterceptors: []interceptor.WorkerInterceptor{&orderInterceptor{converter: dataConverter}},
	})
}

// Register adds Segue's workflows to a worker or a replayer.
func Register(registry worker.WorkflowRegistry) {
	registry.RegisterWorkflowWithOptions(Interaction, workflow.RegisterOptions{Name: TypeInteraction})
	registry.RegisterWorkflowWithOptions(Delivery, workflow.RegisterOptions{Name: TypeDelivery})
	registry.RegisterWorkflowWithOptions(Receiver, workflow.RegisterOptions{Name: TypeReceiver})
}
