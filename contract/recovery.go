package contract

// EndedRun identifies a run of an interaction that was ended from outside.
type EndedRun struct {
	WorkflowID string `json:"workflow_id"`
	RunID      string `json:"run_id"`
}

// RecoveryStart is the second argument of an Interaction that recovers an ended run: it does
// what that run left undone. The first argument is the start of that run.
type RecoveryStart struct {
	Recovers EndedRun `json:"recovers"`
}

// ErrorNotRecoverable is the application error type for a run that cannot be recovered.
const ErrorNotRecoverable = "NotRecoverable"
