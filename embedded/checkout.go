package embedded

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"sort"
	"strings"
)

// sourceFile is the path of this source file where the binary was built. In a binary that was built with -trimpath, to be
// shipped, it is not absolute.
var sourceFile = func() string {
	_, file, _, _ := runtime.Caller(0)
	return file
}()

// checkout returns the devserver's directory in the checkout that this binary was built from. It never looks above the
// working directory: a devserver there may belong to another user, and must not be run.
func checkout() (string, bool) {
	if !filepath.IsAbs(sourceFile) {
		return "", false
	}
	return devserverAbove(filepath.Dir(sourceFile))
}

func devserverAbove(directory string) (string, bool) {
	for {
		if isModule(directory, "segue") {
			source := filepath.Join(directory, "devserver")
			return source, isModule(source, "segue/devserver")
		}
		parent := filepath.Dir(directory)
		if parent == directory {
			return "", false
		}
		directory = parent
	}
}

func isModule(directory, name string) bool {
	content, err := os.ReadFile(filepath.Join(directory, "go.mod"))
	if err != nil {
		return false
	}
	for line := range strings.Lines(string(content)) {
		if fields := strings.Fields(line); len(fields) == 2 && fields[0] == "module" {
			return fields[1] == name
		}
	}
	return false
}

// sourceHash identifies the result of a build: its sources, dependencies, compiler and platform.
func sourceHash(source string) (string, error) {
	files, err := filepath.Glob(filepath.Join(source, "*.go"))
	if err != nil {
		return "", err
	}
	files = append(files, filepath.Join(source, "go.mod"), filepath.Join(source, "go.sum"))
	sort.Strings(files)

	hash := sha256.New()
	fmt.Fprintln(hash, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		if err := addFile(hash, file); err != nil {
			return "", err
		}
	}
	return hex.EncodeToString(hash.Sum(nil))[:16], nil
}

func addFile(hash io.Writer, path string) error {
	content, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	// The length separates the files: without it, two files could hash like one.
	fmt.Fprintln(hash, filepath.Base(path), len(content))
	_, err = hash.Write(content)
	return err
}
