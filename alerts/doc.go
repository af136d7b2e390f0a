// Package alerts is the part of a worker process that notices failing receivers: it
// observes the outcome of every attempt, call by call, and reports to the Receiver workflow
// of a call when its receiver fails, when deliveries are parked, and when it delivers again.
//
// Reports are bounded: one for each change, and at most one a minute for parked deliveries.
// A report is retried until Temporal accepts it, and never delays a delivery.
//
// # Two state machines
//
// The state of a receiver is kept twice, here for each process and in the Receiver
// workflow for the whole task queue. Neither can replace the other:
//
//   - A process sees every attempt, thousands a second, in memory. A workflow pays for each
//     signal with history, so a process sums up before it reports: failures that end within
//     the grace period are never reported, and any number of failures, deliveries or parked
//     ones make one report. Nothing here survives the process.
//   - The workflow sees only reports, of all processes, and survives all of them. It merges
//     reports that contradict each other, outlives a process that died before it saw the
//     receiver recover, and alone knows what operators were told.
//
// Each fact is decided in one place:
//
//   - Whether one attempt says something about its receiver: here.
//   - Whether a failure is worth a report, and when the report is due: here. Nothing but the
//     load on Temporal depends on it, and the grace period is never longer than the
//     configuration's failing_after.
//   - Since when the receiver has failed: the workflow, as the earliest failure that any
//     process reports after the last success that any process reports.
//   - Whether it has recovered, and whether anything still waits or is parked: the workflow.
//   - What operators are told, when, and when they are reminded: the workflow.
//
// Both bound what is parked to once a minute, each for its own output: here signals of one
// process, there alerts about the reports of all processes.
//
// The package must never know what the Receiver workflow does with a report, nor the
// configuration.
package alerts
