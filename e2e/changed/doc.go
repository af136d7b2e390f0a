// Package changed is a change of the workflows such as a release may bring: another Temporal command before every
// Dispatch. Tests of deploys run workers with it beside, after and before workers without it.
//
// It is an interceptor, so that no product build contains it. Only tests and command build may import it.
package changed
