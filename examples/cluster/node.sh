#!/bin/sh
# Starts a PostgreSQL node: the image's own start, but a node that is to FOLLOW another begins as a copy of it.
set -eu

if [ -n "$FOLLOW" ] && [ ! -e "$PGDATA" ]; then
    export PGPASSWORD="$REPLICATION_PASSWORD"
    source="host=$FOLLOW user=replicator application_name=$NODE"
    copy="$PGDATA.copy" # a copy that was broken off must not be taken for a database
    rm -rf "$copy"
    # The slot keeps what the standby has still to get. It is there already if a copy was broken off before.
    pg_basebackup --dbname="$source" --pgdata="$copy" --write-recovery-conf --slot="$NODE" --create-slot ||
        pg_basebackup --dbname="$source" --pgdata="$copy" --write-recovery-conf --slot="$NODE"
    mv "$copy" "$PGDATA"
fi

exec docker-entrypoint.sh postgres "$@"
