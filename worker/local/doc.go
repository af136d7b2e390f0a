// Package local runs a whole Segue inside one process: an embedded Temporal, or one that is running already, a client
// of it, and workers. `segue dev` and `segue demo`, the benchmarks, the recorder of golden histories and tests use it.
//
//	segue, err := local.Start(ctx, local.Options{Server: embedded.Options{UIPort: embedded.NoUI}})
//	…
//	worker, err := segue.StartWorker(local.WorkerOptions{Config: config.NewStore(set)})
//	…
//	err = segue.Stop() // the workers, the client, then Temporal
//
// It must never know the command line, what its users measure or test, or package testing.
package local
