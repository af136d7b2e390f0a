package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/server/common/log"
	"go.temporal.io/server/common/metrics"
	"go.temporal.io/server/common/persistence/sql"
	"go.temporal.io/server/common/persistence/sql/sqlplugin"
	"go.temporal.io/server/common/resolver"
)

func TestTheServersSchemaHasTheIndexesOfVisibility(t *testing.T) {
	statements, err := sqliteSchema()
	require.NoError(t, err)
	var kept []string
	total := 0
	for _, statement := range statements {
		if index := visibilityIndex.FindStringSubmatch(statement); index != nil {
			total++
			if slices.Contains(visibilityIndexes, index[1]) {
				kept = append(kept, index[1])
			}
		}
	}
	require.Equal(t, visibilityIndexes, kept)
	require.Greater(t, total, len(kept))
}

func TestATemporaryDatabaseLeavesNoFile(t *testing.T) {
	conf := temporaryDatabase()
	require.NoError(t, createTemporary(conf))
	db, err := sql.NewSQLDB(sqlplugin.DbKindMain, conf, resolver.NewNoopResolver(), log.NewNoopLogger(), metrics.NoopMetricsHandler)
	require.NoError(t, err)
	defer func() { require.NoError(t, db.Close()) }()

	const rows = 16
	row := sqlplugin.HistoryNodeRow{
		TreeID: make([]byte, 16), BranchID: make([]byte, 16), Data: make([]byte, 1<<20), DataEncoding: "Proto3",
	}
	for row.NodeID = 1; row.NodeID <= rows; row.NodeID++ { // four times what the cache takes
		_, err := db.InsertIntoHistoryNode(t.Context(), &row)
		require.NoError(t, err)
	}
	read, err := db.RangeSelectFromHistoryNode(t.Context(), sqlplugin.HistoryNodeSelectFilter{
		TreeID: row.TreeID, BranchID: row.BranchID, MaxNodeID: rows + 1, PageSize: rows + 1,
	})
	require.NoError(t, err)
	require.Len(t, read, rows)

	files := temporaryFiles(t)
	require.NotEmpty(t, files)
	for _, file := range files {
		require.True(t, strings.HasSuffix(file, " (deleted)"), file)
	}
}

// temporaryFiles returns what SQLite's temporary files that this process has open are called.
func temporaryFiles(t *testing.T) (files []string) {
	const open = "/proc/self/fd"
	entries, err := os.ReadDir(open)
	if err != nil {
		t.Skip("this system has no /proc: ", err)
	}
	for _, entry := range entries {
		name, err := os.Readlink(filepath.Join(open, entry.Name()))
		if err == nil && strings.Contains(name, "etilqs_") {
			files = append(files, name)
		}
	}
	return files
}
