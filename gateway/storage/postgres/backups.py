"""The table `backups`. See `Store.backups`; errors are the caller's."""

from gateway.storage.postgres.connection.session import Connection
from gateway.storage.store import MOST_BACKUPS, Backup

SELECT = "SELECT name, made_at, events FROM gateway.backups ORDER BY made_at, name"
ADD = (
    "INSERT INTO gateway.backups (name, made_at, events) VALUES ($1, $2, $3) "
    "ON CONFLICT (name, made_at) DO UPDATE SET events = excluded.events"
)
FORGET = (
    "DELETE FROM gateway.backups "
    "WHERE made_at < (SELECT made_at FROM gateway.backups ORDER BY made_at DESC LIMIT 1 OFFSET $1)"
)
REMOVE = "DELETE FROM gateway.backups WHERE name = $1 AND made_at = $2"


async def backups(db: Connection) -> list[Backup]:
    """Return those that are remembered, oldest first."""
    return [Backup(name=name, made_at=made_at, events=events) for name, made_at, events in await db.fetch(SELECT)]


async def add(db: Connection, backup: Backup) -> None:
    """Remember a backup, and forget the oldest beyond MOST_BACKUPS."""
    await db.execute(ADD, backup.name, backup.made_at, backup.events)
    await db.execute(FORGET, MOST_BACKUPS - 1)


async def remove(db: Connection, backup: Backup) -> None:
    """Forget a backup."""
    await db.execute(REMOVE, backup.name, backup.made_at)
