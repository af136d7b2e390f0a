package workflows

import (
	"time"

	"go.temporal.io/sdk/workflow"

	"segue/contract"
)

// unknownOutcome returns the outcome of an attempt whose activity ended without one. The
// request is retried, unless it must not be sent twice: the receiver may have it.
func unknownOutcome(ctx workflow.Context, request contract.Request) contract.Outcome {
	outcome := contract.Outcome{
		ID: request.ID, Verdict: contract.VerdictRetry, Class: "timeout", At: workflow.Now(ctx),
		RetryIn: time.Minute, Message: "the attempt ended without an outcome",
	}
	if request.Once {
		outcome.Verdict, outcome.RetryIn = contract.VerdictFinal, 0
		outcome.Message += "; " + contract.AskReceiver
	}
	return outcome
}
