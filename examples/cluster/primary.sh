#!/bin/sh
# Runs once on the new primary: who may copy it, and that a commit waits for a standby. Until one is there, every commit
# waits; that comes into force with the start after this.
set -eu

psql --set ON_ERROR_STOP=1 --set password="$REPLICATION_PASSWORD" \
    --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" <<'SQL'
CREATE ROLE replicator LOGIN REPLICATION PASSWORD :'password';
ALTER SYSTEM SET synchronous_standby_names = '*';
SQL
echo 'host replication replicator samenet scram-sha-256' >>"$PGDATA/pg_hba.conf"
