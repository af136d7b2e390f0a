// Package changed is a change of the workflows such as a release may bring: another
// Temporal command before every Dispatch. Tests of deploys run workers that have it
// beside, after and before workers that do not.
//
// It stands in an interceptor, so that it is in no product build. Nothing but tests
// and package build may import it.
package changed
