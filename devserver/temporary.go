package main

import (
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"

	"go.temporal.io/server/common/config"
	"go.temporal.io/server/common/log"
	"go.temporal.io/server/common/metrics"
	"go.temporal.io/server/common/persistence"
	"go.temporal.io/server/common/persistence/sql"
	"go.temporal.io/server/common/persistence/sql/sqlplugin"
	sqliteplugin "go.temporal.io/server/common/persistence/sql/sqlplugin/sqlite"
	"go.temporal.io/server/common/resolver"
	"go.temporal.io/server/schema"
)

// pageCache is how much of a temporary database SQLite keeps in memory, in the form that SQLite requires: minus KiB. The
// process needs 2.3 times as much, because the allocator rounds a page of 4 KiB and its header up to 9 KiB. A larger cache
// is slower: every commit visits the pages in it that are not in the file yet.
const pageCache = "-4000"

// temporaryDatabase ends with the server. SQLite keeps the pages that exceed the cache in a file in the directory for
// temporary files, and deletes this file as soon as it has opened it: no end of the process leaves the file behind, and no
// other user can open it.
func temporaryDatabase() *config.SQL {
	return &config.SQL{
		PluginName:        sqliteplugin.PluginName,
		DatabaseName:      "", // SQLite's name of a temporary database
		ConnectAttributes: map[string]string{"cache_size": pageCache, "journal_mode": "memory"},
	}
}

// visibilityIndexes are the indexes that visibility needs at the size of a temporary database. The schema has 55 more, and
// each write of visibility changes all of them, which took a fifth of the server's CPU. Filters by other columns read all
// rows of a namespace.
var visibilityIndexes = []string{"default_idx", "by_workflow_id", "by_status"}

// visibilityIndex matches the statement that creates an index of visibility, and the index's name.
var visibilityIndex = regexp.MustCompile(`(?i)^CREATE INDEX (\w+)\s+ON executions_visibility\b`)

// createTemporary creates the schema in a temporary database.
func createTemporary(conf *config.SQL) (err error) {
	statements, err := sqliteSchema()
	if err != nil {
		return err
	}
	db, err := sql.NewSQLAdminDB(sqlplugin.DbKindUnknown, conf, resolver.NewNoopResolver(), log.NewNoopLogger(), metrics.NoopMetricsHandler)
	if err != nil {
		return fmt.Errorf("create a temporary database: %w", err)
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	for _, statement := range statements {
		if index := visibilityIndex.FindStringSubmatch(statement); index != nil && !slices.Contains(visibilityIndexes, index[1]) {
			continue
		}
		if err := db.Exec(statement); err != nil {
			return fmt.Errorf("set up the schema of the temporary database: %w", err)
		}
	}
	return nil
}

// sqliteSchema returns the statements of the server's schema.
func sqliteSchema() ([]string, error) {
	var files []io.Reader
	for _, part := range []string{"temporal", "visibility"} {
		file, err := schema.Assets().Open("sqlite/v3/" + part + "/schema.sql")
		if err != nil {
			return nil, fmt.Errorf("read the schema for SQLite: %w", err)
		}
		defer file.Close()
		files = append(files, file)
	}
	return persistence.LoadAndSplitQueryFromReaders(files)
}
