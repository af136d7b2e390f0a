// Package committed limits queries to the committed part of a history: what completed
// workflow tasks did.
//
// Temporal sends a query to a worker while no workflow task is in progress. If the worker
// has evicted the workflow, it fetches the history to rebuild the state, and by then a
// task may have started. The Go SDK replays the events of that unfinished task, too, but
// without its updates and local activities, and with a clock that the task may not get
// when it is retried: it would answer with a state that the workflow never had.
//
// Interceptor removes these events. A query is answered from the last completed task;
// that is the state that was current when Temporal dispatched the query, or a later one.
package committed
