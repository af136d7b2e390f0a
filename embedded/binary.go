package embedded

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// BinaryVariable is the environment variable that names a devserver binary to use as it is.
const BinaryVariable = "SEGUE_DEVSERVER"

const (
	binaryPrefix = "devserver-"
	// keepUnused is for how long an unused binary is cached after a newer one is built.
	keepUnused = 14 * 24 * time.Hour
)

// Binary returns the path of a devserver binary: the one that SEGUE_DEVSERVER names; else one in the user's cache
// directory that was built from the same sources; else one that it builds into the cache, from the checkout that this
// binary was built from, once for all processes that ask at the same time. Without a checkout it returns the newest one in
// the cache, or an error if there is none. It reports long steps to progress, which may be nil.
func Binary(ctx context.Context, progress func(string)) (string, error) {
	if progress == nil {
		progress = func(string) {}
	}
	if path := os.Getenv(BinaryVariable); path != "" {
		if err := executable(path); err != nil {
			return "", fmt.Errorf("%s: %w", BinaryVariable, err)
		}
		return path, nil
	}
	cache, err := cacheDirectory()
	if err != nil {
		return "", err
	}
	source, found := checkout()
	if !found {
		return newest(cache)
	}
	hash, err := sourceHash(source)
	if err != nil {
		return "", fmt.Errorf("identify the embedded Temporal's sources: %w", err)
	}
	path := filepath.Join(cache, binaryPrefix+hash)
	if cached(path) {
		return path, nil
	}
	return path, buildOnce(ctx, source, path, progress)
}

func cacheDirectory() (string, error) {
	user, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("no cache directory for the embedded Temporal (%w): set %s to a devserver binary", err, BinaryVariable)
	}
	cache := filepath.Join(user, "segue")
	if err := os.MkdirAll(cache, 0o755); err != nil {
		return "", fmt.Errorf("make the cache directory of the embedded Temporal: %w", err)
	}
	return cache, nil
}

// cached reports whether there is a binary, and marks it as used.
func cached(path string) bool {
	if executable(path) != nil {
		return false
	}
	now := time.Now()
	// The time is only for removeUnused; a read-only cache works as well.
	_ = os.Chtimes(path, now, now)
	return true
}

func executable(path string) error {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%s does not exist", path)
	case err != nil:
		return err
	case info.IsDir() || info.Mode().Perm()&0o111 == 0:
		return fmt.Errorf("%s is not executable", path)
	}
	return nil
}

// newest returns the newest binary of the cache, for an installed segue without its sources.
func newest(cache string) (string, error) {
	var path string
	var modified time.Time
	forEachBinary(cache, func(candidate string, info fs.FileInfo) {
		if info.ModTime().After(modified) {
			path, modified = candidate, info.ModTime()
		}
	})
	if path == "" {
		return "", fmt.Errorf("no embedded Temporal: the checkout that this segue was built from is missing, and the cache contains no binary; "+
			"run segue from its checkout once (go run . dev), or set %s to a devserver binary, or use a Temporal that runs elsewhere (--address)", BinaryVariable)
	}
	return path, nil
}

// removeUnused removes binaries that have not been started for long. A failure does no harm.
func removeUnused(cache, keep string) {
	forEachBinary(cache, func(path string, info fs.FileInfo) {
		if path != keep && time.Since(info.ModTime()) > keepUnused {
			_ = os.Remove(path)
		}
	})
}

func forEachBinary(cache string, do func(path string, info fs.FileInfo)) {
	entries, err := os.ReadDir(cache)
	if err != nil {
		return
	}
	for _, entry := range entries {
		info, err := entry.Info()
		if err != nil || !info.Mode().IsRegular() || !strings.HasPrefix(entry.Name(), binaryPrefix) || strings.Contains(entry.Name(), ".") {
			continue
		}
		do(filepath.Join(cache, entry.Name()), info)
	}
}
