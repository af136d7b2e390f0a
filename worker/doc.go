// Command worker is the production worker: it runs Segue's workflows and
// activities on one task queue until it is told to stop.
//
//	worker --config segue.yaml
//
// Settings come from the file, from SEGUE_… variables and from flags, the later
// winning. On SIGTERM or Ctrl-C it takes no more work, finishes what it is
// sending, and exits with status 0.
package main
