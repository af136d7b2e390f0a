// Command worker is the production worker: it runs Segue's workflows and
// activities on one task queue until it is told to stop.
//
//	worker --config segue.yaml
//
// Settings come from the file, from SEGUE_… variables and from flags, the later
// winning. A changed file is put in force while the worker runs, and on SIGHUP at
// once; a bad one changes nothing. It tells its metrics and its health on
// metrics.address. On SIGTERM or Ctrl-C it takes no more work, finishes what it is
// sending, and exits with status 0.
package main
