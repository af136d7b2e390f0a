package committed

import (
	commonpb "go.temporal.io/api/common/v1"
	"google.golang.org/protobuf/encoding/protowire"
)

// The SDK fetches the history of a query task with the WorkflowExecution of the task. An
// unknown field in that message distinguishes such a fetch from one for a workflow task of
// the same run. protobuf reserves the number for no real field; the field never leaves the
// process. If another version of the SDK fetches histories with another message,
// TestAQueryMeetsARunningTask in e2e/sequences fails.
const markField protowire.Number = 19109

// mark notes in the execution of a query task the id of the WorkflowTaskStarted event of
// the last completed task.
func mark(execution *commonpb.WorkflowExecution, started int64) {
	if execution == nil {
		return
	}
	field := protowire.AppendVarint(protowire.AppendTag(nil, markField, protowire.VarintType), uint64(started))
	execution.ProtoReflect().SetUnknown(field)
}

// markOf returns what mark noted; false if the execution has no mark.
func markOf(execution *commonpb.WorkflowExecution) (started int64, ok bool) {
	field := execution.ProtoReflect().GetUnknown()
	number, kind, n := protowire.ConsumeTag(field)
	if n < 0 || number != markField || kind != protowire.VarintType {
		return 0, false
	}
	value, n := protowire.ConsumeVarint(field[n:])
	return int64(value), n >= 0
}

func unmark(execution *commonpb.WorkflowExecution) { execution.ProtoReflect().SetUnknown(nil) }
