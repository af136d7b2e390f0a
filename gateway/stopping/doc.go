// Package stopping notifies long answers, such as streams of events, that the process stops, so
// that they end in their own form before the process waits for its last requests.
//
// It must never know what is answered.
package stopping
