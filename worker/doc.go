// Command worker is the production worker: it runs Segue's workflows and activities on one task queue until it is
// stopped.
//
//	worker --config segue.yaml
//
// Settings come from the file, from SEGUE_… variables and from flags; a variable takes precedence over the file, and a
// flag over both. The worker reloads a changed file, at once on SIGHUP; an invalid file changes nothing. It serves metrics
// and health on metrics.address. On SIGTERM or Ctrl-C it accepts no more work, finishes the requests in flight, and exits
// with status 0.
package main
