package bench

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"syscall"
	"time"
)

// Tick is the unit of time in /proc on every Linux platform of Go.
const Tick = 10 * time.Millisecond

// OwnCPU returns the CPU time of this process so far.
func OwnCPU() time.Duration {
	var usage syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &usage) != nil {
		return 0
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// CPUOf returns the CPU time of a process so far; 0 without /proc.
func CPUOf(pid int) (used time.Duration) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0
	}
	// The command's name, in parentheses, may contain anything. The 12th and 13th field after it are utime and stime.
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	for _, field := range fields[11:13] {
		ticks, err := strconv.Atoi(string(field))
		if err == nil {
			used += time.Duration(ticks) * Tick
		}
	}
	return used
}

// ResidentOf returns the resident memory of a process in bytes; 0 without /proc.
func ResidentOf(pid int) int {
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
