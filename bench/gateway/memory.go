package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/pprof"

	"segue/bench"
)

// memory is what a gateway uses, in bytes.
type memory struct {
	// Resident is by the operating system, before a collection; Heap is live after it; Stacks are those of goroutines.
	Resident, Heap, Stacks int
}

// inquiry asks a gateway for its memory.
type inquiry struct {
	// Profile is the file for a CPU profile from now to the end, and with .heap after it for the heap at the next inquiry.
	Profile string
}

// memoryOf asks a gateway for its memory. A profile that is not empty starts a CPU profile.
func memoryOf(gateway *bench.Child, profile string) (m memory, err error) {
	resident := bench.ResidentOf(gateway.PID())
	err = gateway.Ask(inquiry{Profile: profile}, &m)
	m.Resident = resident
	return m, err
}

// each returns what so many clients add, in kB for each.
func (m memory) each(empty memory, clients int) (resident, heap, stacks float64) {
	kB := func(bytes int) float64 { return float64(bytes) / 1e3 / float64(clients) }
	return kB(m.Resident - empty.Resident), kB(m.Heap - empty.Heap), kB(m.Stacks - empty.Stacks)
}

// answerMemory answers the parent's inquiries until the parent ends the child.
func answerMemory(assigned *bench.Assignment, started string) error {
	fmt.Println(started)
	profile := ""
	defer pprof.StopCPUProfile()
	for {
		var asked inquiry
		if err := assigned.Question(&asked); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		runtime.GC()
		var stats runtime.MemStats
		runtime.ReadMemStats(&stats)
		if err := errors.Join(writeHeap(profile), startCPU(asked.Profile)); err != nil {
			return err
		}
		profile = asked.Profile
		if err := assigned.Answer(memory{Heap: int(stats.HeapAlloc), Stacks: int(stats.StackInuse)}); err != nil {
			return err
		}
	}
}

// startCPU starts a CPU profile, if there is a file for it.
func startCPU(path string) error {
	if path == "" {
		return nil
	}
	file, err := os.Create(path) // the profile has it until the process ends
	if err != nil {
		return err
	}
	return pprof.StartCPUProfile(file)
}

// writeHeap writes a profile of the heap beside a CPU profile.
func writeHeap(profile string) error {
	if profile == "" {
		return nil
	}
	file, err := os.Create(profile + ".heap")
	if err != nil {
		return err
	}
	return errors.Join(pprof.Lookup("heap").WriteTo(file, 0), file.Close())
}
