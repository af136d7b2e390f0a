package main

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"syscall"
	"time"
)

// cpu is the CPU time that the embedded server, the workers and this process have used.
type cpu struct{ server, workers, load time.Duration }

func (c cpu) sub(before cpu) cpu {
	return cpu{c.server - before.server, c.workers - before.workers, c.load - before.load}
}

// tick is the unit of time in /proc on every Linux platform of Go.
const tick = 10 * time.Millisecond

// cpuNow returns the CPU times so far. Without /proc, only that of this process is known.
func cpuNow(server, workers int) cpu {
	used := cpu{server: cpuOf(server), workers: cpuOf(workers)}
	var usage syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &usage) == nil {
		used.load = time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
	}
	return used
}

// cpuOf returns the CPU time of a process so far; 0 without /proc.
func cpuOf(pid int) (used time.Duration) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0
	}
	// The command's name, in parentheses, may contain anything. The 12th and 13th field after it are utime and stime.
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	for _, field := range fields[11:13] {
		ticks, err := strconv.Atoi(string(field))
		if err == nil {
			used += time.Duration(ticks) * tick
		}
	}
	return used
}

// residentOf returns the resident memory of a process in bytes; 0 without /proc.
func residentOf(pid int) int {
	statm, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		return 0
	}
	pages, err := strconv.Atoi(string(bytes.Fields(statm)[1]))
	if err != nil {
		return 0
	}
	return pages * os.Getpagesize()
}
