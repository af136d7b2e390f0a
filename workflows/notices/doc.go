// Package notices publishes the changes of interactions once Temporal has committed them.
//
// A change happens inside a workflow task, and Temporal may refuse the task: it timed out, the
// run cannot end yet, the worker was replaced. Then the worker does the task again, possibly in
// another order. So workflow code only gives its changes to a Collector, and the collector's
// gRPC interceptor publishes them when Temporal has taken the completion of the task.
//
// Just before it completes a task with changes, the interceptor announces them (Sink.Due). Where
// the notices of a committed task are lost, because the worker was killed or the answer of
// Temporal did not arrive, the announcement makes readers query the state. Where the task is
// refused after all, readers find nothing new.
//
// The rules:
//
//   - A change belongs to the task in which it was made: that of its run with the same
//     WorkflowTaskStarted event. Workflow code runs only after the SDK has processed that event;
//     in a replay it adds nothing. So the changes of a task that timed out here, or was done
//     again, never mix with those of another task.
//   - The answer to a poll begins a task, and so does the next task that the answer to a
//     completion carries. A task without an end is forgotten when the next one of its run
//     begins, unless the answer to its completion is awaited: the next task may arrive first.
//     Tasks are recognized by their tokens, which are never decoded.
//   - A completion counts when Temporal answers without an error, that of a heartbeat too. After
//     an error the SDK may send the completion again, so the changes are kept. NotFound and
//     InvalidArgument are final: the task is not known any more (perhaps an earlier attempt
//     completed it: each attempt announces the changes again), or Temporal has failed it.
//   - A page of a large completion does not count, only the last one does.
//   - A task that Temporal drops from the history, because all of its updates were refused, has
//     no changes.
//   - Two tasks of a run have the same WorkflowTaskStarted event if the first one left no trace in
//     the history, such as the second attempt of a failing task. If code of the first one may still
//     run in this process, changes of either may be found: they are announced, not published.
//
// Queries need no rule. A query's worker may rebuild a run while a task of the run is in
// progress, but package committed shows it completed tasks only: it adds no changes, or such of a
// task that is not in progress. The same rules make the order in which instances of a run are
// made irrelevant.
//
// The package knows the contract. It must never know the bus, or how a change is made.
package notices
