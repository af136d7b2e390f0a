package postgres

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	osuser "os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
)

// ErrNotInstalled is the error of a machine without PostgreSQL's server programs.
var ErrNotInstalled = errors.New("PostgreSQL is not installed: neither PATH nor /usr/lib/postgresql has initdb (Debian: apt-get install postgresql)")

// programs are the two that a server needs, and the user to run them as; nil is this process's user.
type programs struct {
	initdb, postgres string
	as               *syscall.Credential
}

// places are where packages that do not change PATH install initdb.
var places = []string{"/usr/lib/postgresql/*/bin/initdb", "/usr/pgsql-*/bin/initdb", "/opt/homebrew/opt/postgresql@*/bin/initdb"}

// find looks for the programs in PATH, then in places, where it takes the newest version.
func find() (programs, error) {
	initdb, err := exec.LookPath("initdb")
	if err != nil {
		initdb = ""
		newest := -1.0
		for _, pattern := range places {
			found, err := filepath.Glob(pattern)
			if err != nil {
				return programs{}, fmt.Errorf("look for PostgreSQL: %w", err)
			}
			for _, path := range found {
				if version := versionIn(path); version > newest {
					initdb, newest = path, version
				}
			}
		}
	}
	if initdb == "" {
		return programs{}, ErrNotInstalled
	}
	if initdb, err = filepath.EvalSymlinks(initdb); err != nil {
		return programs{}, fmt.Errorf("look for PostgreSQL: %w", err)
	}
	p := programs{initdb: initdb, postgres: filepath.Join(filepath.Dir(initdb), "postgres")}
	if os.Geteuid() == 0 {
		p.as, err = unprivileged()
	}
	return p, err
}

// versionIn returns the version in a path such as /usr/lib/postgresql/15/bin/initdb; 0 without one.
func versionIn(path string) float64 {
	name := filepath.Base(filepath.Dir(filepath.Dir(path)))
	version, err := strconv.ParseFloat(name[strings.LastIndexAny(name, "-@")+1:], 64)
	if err != nil {
		return 0
	}
	return version
}

// unprivileged returns the user as which a process of root runs PostgreSQL.
func unprivileged() (*syscall.Credential, error) {
	for _, name := range []string{"postgres", "nobody"} {
		account, err := osuser.Lookup(name)
		if err != nil {
			continue
		}
		uid, badUID := strconv.ParseUint(account.Uid, 10, 32)
		gid, badGID := strconv.ParseUint(account.Gid, 10, 32)
		if err := errors.Join(badUID, badGID); err != nil {
			return nil, fmt.Errorf("user %s: %w", name, err)
		}
		return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
	}
	return nil, errors.New("PostgreSQL refuses to run as root, and this machine has neither a user postgres nor nobody")
}

// own makes the user as which PostgreSQL runs the owner of files.
func (p programs) own(paths ...string) error {
	if p.as == nil {
		return nil
	}
	for _, path := range paths {
		if err := os.Chown(path, int(p.as.Uid), int(p.as.Gid)); err != nil {
			return err
		}
	}
	return nil
}

// prepare lets a command run as that user, in a directory that the user may enter, and in a process group of its own:
// a Ctrl-C signals only its parent, which stops it in order.
func (p programs) prepare(command *exec.Cmd, directory string) {
	command.Dir = directory
	command.Env = []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C"}
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Credential: p.as}
}

// logSize is how much of the server's log an error contains.
const logSize = 4 << 10

// log keeps the end of what the server writes.
type log struct {
	mu  sync.Mutex
	end []byte
}

// Write never fails.
func (l *log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.end = append(l.end, p...)
	l.end = l.end[max(0, len(l.end)-logSize):]
	return len(p), nil
}

func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.TrimSpace(string(l.end))
}
