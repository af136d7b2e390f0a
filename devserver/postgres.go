package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"go.temporal.io/server/common/config"
	"go.temporal.io/server/common/log"
	"go.temporal.io/server/common/persistence/sql/sqlplugin/postgresql"
	v12 "go.temporal.io/server/schema/postgresql/v12"
	"go.temporal.io/server/tools/common/schema"
	sqltool "go.temporal.io/server/tools/sql"
)

const (
	// visibilitySuffix is the suffix of the second database: one database cannot contain both schemas, because each has a
	// table of schema versions.
	visibilitySuffix = "_visibility"
	// connectLimit bounds one connection while the server starts.
	connectLimit = 10 * time.Second
	// lockLimit bounds the wait for the lock, which a server that has just ended may still hold.
	lockLimit = 3 * time.Second
	// lockKey is the advisory lock that a running server holds in its database.
	lockKey = 0x5e60e0007e3b4a1d

	// undefinedDatabase and duplicateDatabase are error codes of PostgreSQL.
	undefinedDatabase = "3D000"
	duplicateDatabase = "42P04"
)

// databaseName matches names that fit in PostgreSQL's 63 bytes with visibilitySuffix and need no escaping.
var databaseName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,52}$`).MatchString

// isPostgres reports whether --db is the URL of a PostgreSQL database.
func isPostgres(db string) bool {
	return strings.HasPrefix(db, "postgres://") || strings.HasPrefix(db, "postgresql://")
}

// postgresDatabase is the PostgreSQL database of --db.
type postgresDatabase struct {
	config     *pgx.ConnConfig
	parameters url.Values
}

// parsePostgres parses the URL of --db. Environment variables such as PGPASSWORD and the file .pgpass supply what the URL
// lacks. No error contains the password of the URL.
func parsePostgres(db string) (postgresDatabase, error) {
	parsed, err := url.Parse(db)
	if err != nil {
		return postgresDatabase{}, errors.New("--db is not a valid URL: use postgres://user:password@host:port/database, and percent-encode special characters")
	}
	parsedConfig, err := pgx.ParseConfig(db)
	if err != nil {
		return postgresDatabase{}, fmt.Errorf("--db %s is not a PostgreSQL URL: use postgres://user:password@host:port/database, with parameters such as ?sslmode=verify-full",
			parsed.Redacted())
	}
	if !databaseName(parsedConfig.Database) {
		return postgresDatabase{}, fmt.Errorf("--db %s: the name of the database %q must have 1 to 52 of the characters A-Z a-z 0-9 _ -",
			parsed.Redacted(), parsedConfig.Database)
	}
	return postgresDatabase{parsedConfig, parsed.Query()}, nil
}

// openPostgres creates the two databases and their schemas if they are missing, updates older schemas, and locks the
// database for this server.
func openPostgres(db string) (s stores, release func(), err error) {
	p, err := parsePostgres(db)
	if err != nil {
		return stores{}, nil, err
	}
	main, visibility := p.config.Database, p.config.Database+visibilitySuffix
	for _, name := range []string{main, visibility} {
		if err := p.createDatabase(name); err != nil {
			return stores{}, nil, fmt.Errorf("PostgreSQL at %s: %w", p.address(), err)
		}
	}
	if release, err = p.lock(); err != nil {
		return stores{}, nil, fmt.Errorf("PostgreSQL at %s: %w", p.address(), err)
	}
	s = stores{main: p.sql(main, 16), visibility: p.sql(visibility, 6)}
	err = errors.Join(
		createSchema(s.main, "postgresql/v12/temporal", v12.Version),
		createSchema(s.visibility, "postgresql/v12/visibility", v12.VisibilityVersion),
	)
	if err != nil {
		release()
		return stores{}, nil, fmt.Errorf("PostgreSQL at %s: %w", p.address(), err)
	}
	return s, release, nil
}

func (p postgresDatabase) address() string {
	return net.JoinHostPort(p.config.Host, strconv.Itoa(int(p.config.Port)))
}

// connect opens one connection to the database of that name on the same server.
func (p postgresDatabase) connect(name string) (*pgx.Conn, error) {
	ctx, cancel := context.WithTimeout(context.Background(), connectLimit)
	defer cancel()
	conf := p.config.Copy()
	conf.Database = name
	return pgx.ConnectConfig(ctx, conf)
}

// createDatabase creates a database unless it exists. Only then does the user need CREATEDB.
func (p postgresDatabase) createDatabase(name string) error {
	conn, err := p.connect(name)
	if err == nil {
		return conn.Close(context.Background())
	}
	if !isCode(err, undefinedDatabase) {
		return fmt.Errorf("connect to the database %s: %w", name, err)
	}
	if conn, err = p.connect("postgres"); err != nil {
		return fmt.Errorf("the database %s does not exist; connect to the database postgres to create it: %w", name, err)
	}
	defer conn.Close(context.Background())
	_, err = conn.Exec(context.Background(), "CREATE DATABASE "+pgx.Identifier{name}.Sanitize()+" TEMPLATE template0 ENCODING 'UTF8'")
	if err != nil && !isCode(err, duplicateDatabase) {
		return fmt.Errorf("create the database %s: %w (create the databases %s and %s beforehand, or grant the user %s CREATEDB)",
			name, err, p.config.Database, p.config.Database+visibilitySuffix, p.config.User)
	}
	return nil
}

func isCode(err error, code string) bool {
	var refused *pgconn.PgError
	return errors.As(err, &refused) && refused.Code == code
}

// lock ensures that one server at a time uses a database: two servers would both own every shard. PostgreSQL releases the
// lock when the connection ends, which it does when the process ends in any way.
func (p postgresDatabase) lock() (release func(), err error) {
	conn, err := p.connect(p.config.Database)
	if err != nil {
		return nil, fmt.Errorf("lock the database %s: %w", p.config.Database, err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), lockLimit)
	defer cancel()
	err = until(ctx, func(ctx context.Context) error {
		var locked bool
		if err := conn.QueryRow(context.Background(), "SELECT pg_try_advisory_lock($1)", int64(lockKey)).Scan(&locked); err != nil {
			return err
		}
		if !locked {
			return fmt.Errorf("the database %s is in use by another embedded Temporal: stop that one, or use another --db", p.config.Database)
		}
		return nil
	})
	if err != nil {
		return nil, errors.Join(err, conn.Close(context.Background()))
	}
	return func() { _ = conn.Close(context.Background()) }, nil
}

// sql returns the server's configuration of one database. Values that need escaping in a URL are parameters, which the
// server escapes. Each of the four services opens a pool of at most conns connections.
func (p postgresDatabase) sql(name string, conns int) *config.SQL {
	attributes := map[string]string{}
	for key := range p.parameters {
		attributes[key] = p.parameters.Get(key)
	}
	attributes["host"], attributes["port"] = p.config.Host, strconv.Itoa(int(p.config.Port))
	attributes["user"] = p.config.User
	if p.config.Password != "" {
		attributes["password"] = p.config.Password
	}
	// Without sslmode the server would disable TLS.
	attributes["sslmode"] = cmp.Or(attributes["sslmode"], os.Getenv("PGSSLMODE"), "prefer")
	return &config.SQL{
		PluginName: postgresql.PluginNamePGX, DatabaseName: name, ConnectProtocol: "tcp", ConnectAttributes: attributes,
		MaxConns: conns, MaxIdleConns: conns,
	}
}

// createSchema creates Temporal's schema in a new database, and updates the schema of an older server.
func createSchema(sql *config.SQL, files, version string) error {
	conn, err := sqltool.NewConnection(sql, log.NewNoopLogger())
	if err != nil {
		return fmt.Errorf("connect to the database %s: %w", sql.DatabaseName, err)
	}
	defer conn.Close()
	present, err := conn.ReadSchemaVersion()
	if err == nil && present == version {
		return nil
	}
	if err != nil {
		task := schema.NewSetupSchemaTask(conn, &schema.SetupConfig{InitialVersion: "0.0"}, log.NewNoopLogger())
		if err := task.Run(); err != nil {
			return fmt.Errorf("create the schema of the database %s: %w", sql.DatabaseName, err)
		}
	}
	task := schema.NewUpdateSchemaTask(conn, &schema.UpdateConfig{SchemaName: files}, log.NewNoopLogger())
	if err := task.Run(); err != nil {
		return fmt.Errorf("update the schema of the database %s: %w (if an earlier start was interrupted, drop the database)", sql.DatabaseName, err)
	}
	return nil
}
