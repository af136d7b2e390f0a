// Command worker is the production worker: it runs Segue's workflows and activities on one task queue until it is stopped.
//
//	worker --config segue.yaml
//
// Settings come from the file, from SEGUE_… variables and from flags; later ones override earlier ones. A changed file
// takes effect while the worker runs, and immediately on SIGHUP; a bad one changes nothing. The worker serves metrics and
// health on metrics.address. On SIGTERM or Ctrl-C it takes no more work, finishes the deliveries in flight, and exits with
// status 0.
package main
