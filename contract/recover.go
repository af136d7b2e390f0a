package contract

// EndedRun names a run of an interaction that was ended from outside.
type EndedRun struct {
	WorkflowID string `json:"workflow_id"`
	RunID      string `json:"run_id"`
}

// RecoveryStart is the second argument of an Interaction that takes up what such a run left;
// the first is the start of that run.
type RecoveryStart struct {
	Recovers EndedRun `json:"recovers"`
}

// ErrorNotRecoverable is the application error type of a run that cannot be taken up.
const ErrorNotRecoverable = "NotRecoverable"
