package main

import (
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"go.temporal.io/server/common/config"
	sqliteplugin "go.temporal.io/server/common/persistence/sql/sqlplugin/sqlite"
	"go.temporal.io/server/schema/sqlite"
	"google.golang.org/protobuf/types/known/durationpb"
)

// retention is how long closed workflows stay visible.
const retention = 72 * time.Hour

// stores are the configurations of the two databases that a server has; SQLite keeps both in one.
type stores struct{ main, visibility *config.SQL }

// openDatabase returns the configuration of the database, with its schema and the namespace in it. The release function
// gives the database free for another server.
func openDatabase(o options) (s stores, release func(), err error) {
	switch {
	case o.db == "":
		sql := memoryDatabase()
		s, release = stores{sql, sql}, func() {}
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

func memoryDatabase() *config.SQL {
	return &config.SQL{
		PluginName: sqliteplugin.PluginName,
		// The name only keeps this process's connections on one shared database.
		DatabaseName:      "segue-" + strconv.Itoa(os.Getpid()),
		ConnectAttributes: map[string]string{"mode": "memory", "cache": "shared"},
	}
}

// fileDatabase is as fast as memory with a write-ahead log that is flushed at checkpoints: a killed process loses
// nothing, a machine that loses power the last moments.
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

// uriPath escapes what means something in the URI that SQLite is given the path in.
func uriPath(path string) string {
	return (&url.URL{Path: filepath.ToSlash(path)}).EscapedPath()
}

// createFile sets up the schema in a new file. It appears under its name only when it is complete, so that an
// interrupted start leaves no database that a later one cannot use.
func createFile(path string) error {
	if _, err := os.Stat(path); err == nil {
		return nil
	} else if !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("look for the database: %w", err)
	}
	unfinished := path + ".unfinished"
	if err := os.Remove(unfinished); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("clear the way for the database: %w", err)
	}
	empty, err := os.OpenFile(unfinished, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("create the database: %w", err)
	}
	if err := empty.Close(); err != nil {
		return fmt.Errorf("create the database: %w", err)
	}
	sql := &config.SQL{
		PluginName:        sqliteplugin.PluginName,
		DatabaseName:      uriPath(unfinished),
		ConnectAttributes: map[string]string{"mode": "rwc", "synchronous": "off"},
	}
	if err := sqlite.SetupSchema(sql); err != nil {
		return fmt.Errorf("set up the database %s: %w", path, err)
	}
	if err := os.Rename(unfinished, path); err != nil {
		return fmt.Errorf("set up the database: %w", err)
	}
	return nil
}

// makePrivate lets nobody else read a database: callers' numbers and names are in it. SQLite gives the files beside a new
// database the database's own mode.
func makePrivate(path string) error {
	for _, file := range []string{path, path + "-wal", path + "-shm"} {
		if err := os.Chmod(file, 0o600); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("make the database private: %w", err)
		}
	}
	return nil
}

// createNamespace does nothing when the namespace exists. Search attributes that are new to an existing one are added
// once the server runs.
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

// lockDatabase makes sure that one server at a time works on a file: two would each believe to own every shard. The lock
// goes with the process, however it ends.
func lockDatabase(path string) (release func(), err error) {
	file, err := os.OpenFile(path+".lock", os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock the database: %w", err)
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		file.Close()
		return nil, fmt.Errorf("the database %s is in use by another embedded Temporal; stop that one, or give another --db", path)
	}
	return func() { file.Close() }, nil
}
