"""The lines of the log about a server's life: what it is and where, by which configuration, ready, and the end."""

import logging
import platform
import time

from gateway import __version__, logs
from gateway.config import Config
from gateway.ingest.registry import discover
from gateway.storage.store import Store
from gateway.workers.control.changes import in_words, set_values
from gateway.workers.control.signals import Signals

log = logging.getLogger("gateway")


def log_start(config: Config, store: Store, url: str) -> None:
    """Log, once a server is ready, which programs these are and where the data is; what is configured; who serves.

    Not before: a start that fails is one line.
    """
    python = platform.python_version()
    log.info(
        "gateway %s, Python %s, %s, data in %s",
        *(__version__, python, store.engine, store.name),
        extra=logs.facts(version=__version__, python=python, engine=store.engine, data=store.name),
    )
    values, file = set_values(config), None if config.file is None else str(config.file)
    log.info(
        "configuration%s: %s",
        *("" if file is None else f" with {file}", in_words(values)),
        extra=logs.facts(file=file, settings=[in_words({name: value}) for name, value in values.items()]),
    )
    dialects = [dialect.name for dialect in discover() if config.enabled(dialect.name)]
    workers, console = config.server.workers, config.server.console
    log.info(
        "serving %s at %s, workers: %d, console: %s",
        *(", ".join(dialects) or "no dialect", url, workers, console),
        extra=logs.facts(url=url, dialects=dialects, workers=workers, console=console),
    )


def log_end(signals: Signals) -> None:
    """Log that a server that was asked to stop has ended."""
    seconds = round(time.monotonic() - signals.stopped_at, 3)
    log.info("stopped %.3f s after %s", seconds, signals.name, extra=logs.facts(signal=signals.name, seconds=seconds))
