package embedded

import (
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

// lockPause is the pause between two tries for a lock that another process holds.
const lockPause = 100 * time.Millisecond

// buildOnce builds the binary, or waits for another process that is building it.
func buildOnce(ctx context.Context, source, path string, progress func(string)) error {
	progress("Building the embedded Temporal server. This happens once, and takes about 4 minutes on two processors; later starts take a second.")
	waiting := report(progress, func(time.Duration) string { return "  another process builds it, or this one prepares" })
	unlock, err := lock(ctx, path+".lock")
	waiting()
	if err != nil {
		return fmt.Errorf("wait for the build of the embedded Temporal: %w", err)
	}
	defer unlock()
	if cached(path) {
		return nil
	}
	if err := build(ctx, source, path, progress); err != nil {
		return err
	}
	removeUnused(filepath.Dir(path), path)
	return nil
}

// build compiles under a temporary name, so that no process starts an incomplete binary.
func build(ctx context.Context, source, path string, progress func(string)) error {
	if _, err := exec.LookPath("go"); err != nil {
		return fmt.Errorf("no go command to build the embedded Temporal with: install Go, or set %s to a devserver binary", BinaryVariable)
	}
	unfinished := fmt.Sprintf("%s.%d.unfinished", path, os.Getpid())
	defer os.Remove(unfinished)

	built := &packages{total: stale(ctx, source)}
	command := goCommand(ctx, source, append([]string{"build", "-v", "-o", unfinished}, flags...)...)
	command.Stdout, command.Stderr = built, built
	stop := report(progress, built.report)
	err := command.Run()
	stop()
	if err != nil {
		return fmt.Errorf("build the embedded Temporal in %s: %w\n%s", source, errors.Join(err, context.Cause(ctx)), built.rest())
	}
	if err := os.Rename(unfinished, path); err != nil {
		return fmt.Errorf("store the embedded Temporal in the cache: %w", err)
	}
	return nil
}

// flags are those of the build. They decide which packages are cached.
var flags = []string{"-buildvcs=false", "-mod=readonly", "-ldflags=-s -w", "."}

// goCommand returns a command of Go in the folder of the server.
func goCommand(ctx context.Context, source string, arguments ...string) *exec.Cmd {
	command := exec.CommandContext(ctx, "go", arguments...)
	command.Dir = source
	// A workspace, or another platform to compile for, is meant for other builds.
	command.Env = append(os.Environ(), "GOWORK=off", "GOOS="+runtime.GOOS, "GOARCH="+runtime.GOARCH)
	command.Cancel = func() error { return command.Process.Signal(syscall.SIGINT) }
	command.WaitDelay = lockPause
	return command
}

// stale returns how many packages the build has to compile, or 0 if that is unknown.
func stale(ctx context.Context, source string) int {
	output, err := goCommand(ctx, source, append([]string{"list", "-deps", "-f", "{{if .Stale}}{{.ImportPath}}{{end}}"}, flags...)...).Output()
	if err != nil {
		return 0 // the build reports what is wrong
	}
	return len(strings.Fields(string(output)))
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
