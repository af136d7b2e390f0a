package main

import (
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"go.temporal.io/server/common/config"
	sqliteplugin "go.temporal.io/server/common/persistence/sql/sqlplugin/sqlite"
	"go.temporal.io/server/schema/sqlite"
	"google.golang.org/protobuf/types/known/durationpb"
)

// retention is how long Temporal keeps closed workflows.
const retention = 72 * time.Hour

// stores are the configurations of the two databases of a server. SQLite uses one database for both.
type stores struct{ main, visibility *config.SQL }

// openDatabase creates the schema and the namespace if they are missing, and returns the configuration of the database.
// release unlocks the database for another server.
func openDatabase(o options) (s stores, release func(), err error) {
	switch {
	case o.db == "":
		sql := temporaryDatabase()
		s, release, err = stores{sql, sql}, func() {}, createTemporary(sql)
	case isPostgres(o.db):
		s, release, err = openPostgres(o.db)
	default:
		s, release, err = openFile(o.db)
	}
	if err != nil {
		return stores{}, nil, err
	}
	if err = createNamespace(s.main, o); err != nil {
		release()
		return stores{}, nil, err
	}
	return s, release, nil
}

func openFile(path string) (s stores, release func(), err error) {
	if release, err = lockDatabase(path); err != nil {
		return stores{}, nil, err
	}
	if err = createFile(path); err != nil {
		release()
		return stores{}, nil, err
	}
	if err = makePrivate(path); err != nil {
		release()
		return stores{}, nil, err
	}
	sql := fileDatabase(path)
	return stores{sql, sql}, release, nil
}

// fileDatabase uses a write-ahead log that is flushed at checkpoints, which is as fast as memory. A killed process loses
// nothing; a power failure loses the last moments.
func fileDatabase(path string) *config.SQL {
	return &config.SQL{
		PluginName:   sqliteplugin.PluginName,
		DatabaseName: uriPath(path),
		ConnectAttributes: map[string]string{
			"mode":         "rwc",
			"journal_mode": "wal",
			"synchronous":  "normal",
			"busy_timeout": "5000",
		},
	}
}

// uriPath escapes a path for SQLite's URI.
func uriPath(path string) string {
	return (&url.URL{Path: filepath.ToSlash(path)}).EscapedPath()
}

// createFile creates a file with the schema unless it exists. The file gets its name when it is complete, so that an
// interrupted start leaves no unusable database.
func createFile(path string) error {
	if _, err := os.Stat(path); err == nil {
		return nil
	} else if !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("--db %s: %w", path, err)
	}
	unfinished := path + ".unfinished"
	if err := os.Remove(unfinished); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("--db %s: remove the unfinished database: %w", path, err)
	}
	empty, err := os.OpenFile(unfinished, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("--db %s: create the database: %w", path, err)
	}
	if err := empty.Close(); err != nil {
		return fmt.Errorf("--db %s: create the database: %w", path, err)
	}
	sql := &config.SQL{
		PluginName:        sqliteplugin.PluginName,
		DatabaseName:      uriPath(unfinished),
		ConnectAttributes: map[string]string{"mode": "rwc", "synchronous": "off"},
	}
	if err := sqlite.SetupSchema(sql); err != nil {
		return fmt.Errorf("--db %s: set up the schema: %w", path, err)
	}
	if err := os.Rename(unfinished, path); err != nil {
		return fmt.Errorf("--db %s: rename the finished database: %w", path, err)
	}
	return nil
}

// makePrivate makes a database unreadable for other users: it contains callers' numbers and names. SQLite creates the
// files beside a new database with the database's mode.
func makePrivate(path string) error {
	for _, file := range []string{path, path + "-wal", path + "-shm"} {
		if err := os.Chmod(file, 0o600); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("--db %s: make the database private: %w", path, err)
		}
	}
	return nil
}

// createNamespace creates the namespace unless it exists. The running server adds missing search attributes to an existing
// namespace.
func createNamespace(sql *config.SQL, o options) error {
	namespace, err := sqlite.NewNamespaceConfig(clusterName, o.namespace, false, o.searchAttributes)
	if err != nil {
		return fmt.Errorf("prepare namespace %s: %w", o.namespace, err)
	}
	namespace.Detail.Config.Retention = durationpb.New(retention)
	if err := sqlite.CreateNamespaces(sql, namespace); err != nil {
		return fmt.Errorf("create namespace %s: %w", o.namespace, err)
	}
	return nil
}

// lockDatabase ensures that one server at a time uses a file: two servers would both own every shard. The operating system
// releases the lock when the process ends in any way.
func lockDatabase(path string) (release func(), err error) {
	file, err := os.OpenFile(path+".lock", os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("--db %s: lock the database: %w", path, err)
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		file.Close()
		return nil, fmt.Errorf("--db %s is in use by another embedded Temporal: stop that one, or use another --db", path)
	}
	return func() { file.Close() }, nil
}
