package main

import (
	"time"

	"segue/bench"
)

// cpu is the CPU time that the embedded server, the workers and this process have used.
type cpu struct{ server, workers, load time.Duration }

func (c cpu) sub(before cpu) cpu {
	return cpu{c.server - before.server, c.workers - before.workers, c.load - before.load}
}

// cpuNow returns the CPU times so far. Without /proc, only that of this process is known.
func cpuNow(server, workers int) cpu {
	return cpu{server: bench.CPUOf(server), workers: bench.CPUOf(workers), load: bench.OwnCPU()}
}
