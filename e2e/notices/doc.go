// Package notices tests that each change of an interaction leaves the worker as a notice after
// Temporal has committed it: no notice of a change that was never made, none twice, none
// missing. The tests lose answers of the server, fail and repeat tasks, kill workers, and query
// interactions that no worker caches.
//
// It has no code besides tests.
package notices
