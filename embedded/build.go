package embedded

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"
)

const (
	// heartbeat is how often the progress of a build is reported.
	heartbeat = 15 * time.Second
	// lockPause is the pause between two tries for a lock that another process holds.
	lockPause = 100 * time.Millisecond
)

// buildOnce builds the binary, or waits for another process that is building it.
func buildOnce(ctx context.Context, source, path string, progress func(string)) error {
	stop := reportProgress(progress, "building the embedded Temporal server once; this takes about 4 minutes, or some seconds with a warm Go build cache")
	defer stop()

	unlock, err := lock(ctx, path+".lock")
	if err != nil {
		return fmt.Errorf("wait for the build of the embedded Temporal: %w", err)
	}
	defer unlock()
	if cached(path) {
		return nil
	}
	if err := build(ctx, source, path); err != nil {
		return err
	}
	removeUnused(filepath.Dir(path), path)
	return nil
}

// build compiles under a temporary name, so that no process starts an incomplete binary.
func build(ctx context.Context, source, path string) error {
	if _, err := exec.LookPath("go"); err != nil {
		return fmt.Errorf("no go command to build the embedded Temporal with: install Go, or set %s to a devserver binary", BinaryVariable)
	}
	unfinished := fmt.Sprintf("%s.%d.unfinished", path, os.Getpid())
	defer os.Remove(unfinished)

	command := exec.CommandContext(ctx, "go", "build", "-buildvcs=false", "-mod=readonly", "-ldflags=-s -w", "-o", unfinished, ".")
	command.Dir = source
	// A workspace, or another platform to compile for, is meant for other builds.
	command.Env = append(os.Environ(), "GOWORK=off", "GOOS="+runtime.GOOS, "GOARCH="+runtime.GOARCH)
	command.Cancel = func() error { return command.Process.Signal(syscall.SIGINT) }
	command.WaitDelay = lockPause
	var output bytes.Buffer
	command.Stdout, command.Stderr = &output, &output
	if err := command.Run(); err != nil {
		return fmt.Errorf("build the embedded Temporal in %s: %w\n%s", source, errors.Join(err, context.Cause(ctx)), strings.TrimSpace(output.String()))
	}
	if err := os.Rename(unfinished, path); err != nil {
		return fmt.Errorf("store the embedded Temporal in the cache: %w", err)
	}
	return nil
}

// lock acquires an inter-process lock, which the kernel releases when its holder dies. It polls rather than blocks, because
// a context cannot cancel a blocked call.
func lock(ctx context.Context, path string) (unlock func(), err error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	pause := time.NewTicker(lockPause)
	defer pause.Stop()
	for {
		err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return func() { file.Close() }, nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) && !errors.Is(err, syscall.EINTR) {
			file.Close()
			return nil, err
		}
		select {
		case <-ctx.Done():
			file.Close()
			return nil, context.Cause(ctx)
		case <-pause.C:
		}
	}
}

// reportProgress reports what is going on now, and every heartbeat for how long already, until it is stopped.
func reportProgress(progress func(string), what string) (stop func()) {
	begin := time.Now()
	progress(what + "…")
	quit, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		beat := time.NewTicker(heartbeat)
		defer beat.Stop()
		for {
			select {
			case <-quit:
				return
			case <-beat.C:
				progress(fmt.Sprintf("still building the embedded Temporal server, %s so far…", time.Since(begin).Round(time.Second)))
			}
		}
	}()
	return func() {
		close(quit)
		<-ended
	}
}
