"""Which projects there are: those of which something was counted, and those that have a key. Settings may name more."""

from gateway.keys.credential import NoCredentials
from gateway.operate.counters import totals
from gateway.storage.store import Store
from gateway.store_error import EmptyStore


async def counted(store: Store) -> set[str]:
    """Return the projects that events, held items or rejected requests belong to; an unknown project is empty."""
    try:
        async with store.records() as records:
            return {project for project, _, _ in await totals(records)}
    except EmptyStore:
        return set()


async def with_keys(store: Store) -> set[str]:
    """Return the projects of all credentials."""
    try:
        async with store.keys() as keys:
            return {record.project for record in await keys.list()}
    except (NoCredentials, EmptyStore):
        return set()
