"""The store of a configuration: which one it is, and how it is opened. No engine here."""

from gateway.config.tree import Config
from gateway.storage.engines import open_store
from gateway.storage.store import Store, StoreSettings


def store_of(config: Config) -> Store:
    """Return the store of a configuration; nothing is opened yet. Raises StoreError."""
    return open_store(config.storage_url)


def store_settings(config: Config, shares: int = 1) -> StoreSettings:
    """Return how a server opens its store. Each of so many processes gets an equal share of the queue."""
    storage = config.storage
    return StoreSettings(
        queue_bytes=storage.queue_bytes // shares,
        window=storage.dedupe_window,
        keep_events=storage.keep_events,
        keep_events_of=config.keep_events_of,
        keep_raw=storage.keep_raw,
        quarantine_bytes=config.quarantine_bytes,
        compress=storage.compress,
        rejected_bytes=storage.rejected_bytes,
        rejected_window=storage.rejected_window,
    )
