package workflows

import (
	"encoding/json"

	"segue/contract"
	"segue/excerpt"
)

// resultsSize bounds the answer of one array, in bytes. Ten updates may be answered in one workflow
// task, and the server terminates a workflow whose worker answers a task with more than 4 MB.
const resultsSize = 256 << 10

const (
	briefMessage = 128
	briefField   = 64
)

// bounded shortens the results of an array if together they are too large: only the last one keeps
// its capabilities, and refusals list nothing.
func bounded(results []contract.CommandResult) []contract.CommandResult {
	encoded, err := json.Marshal(results)
	if err != nil || len(encoded) <= resultsSize {
		return results // the SDK reports the same error
	}
	last := len(results) - 1
	for i := range results {
		if i < last {
			results[i].Capabilities = nil
		}
		if reason := results[i].Error; reason != nil {
			reason.Message, reason.Field = excerpt.Of(reason.Message, briefMessage), excerpt.Of(reason.Field, briefField)
			reason.Legal = nil
		}
	}
	return results
}
