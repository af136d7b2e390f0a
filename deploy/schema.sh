#!/bin/sh
# Creates Temporal's two databases and updates their schema to the version of this image. Safe to run at every start: it
# skips what exists, and after an upgrade of the image runs only the missing steps.
# It connects with SQL_HOST, SQL_PORT, SQL_USER and SQL_PLUGIN, and with the password in the file PASSWORD_FILE.
set -eu

SQL_PASSWORD=$(cat "$PASSWORD_FILE")
export SQL_PASSWORD

# prepare DATABASE SCHEMA: uses the schema files that are compiled into the tool, so tool and schema always match.
prepare() {
	export SQL_DATABASE="$1"
	echo "database $1: schema $2"
	temporal-sql-tool create-database
	temporal-sql-tool setup-schema --version 0.0
	temporal-sql-tool update-schema --schema-name "$2"
}

prepare temporal postgresql/v12/temporal
prepare temporal_visibility postgresql/v12/visibility
