"""The dialects as a configuration has them served: which are on, with which limits and switches, and where."""

from collections.abc import Iterable

import attrs

from gateway.config.tree import Config
from gateway.dialect.contract import Dialect
from gateway.ingest.registry import Installed, install
from gateway.ingest.router import Router


def install_enabled(config: Config, dialects: Iterable[Dialect]) -> tuple[Installed, ...]:
    """Return the dialects that are on, ready to serve. Raises RegistryError."""
    enabled = [
        attrs.evolve(dialect, body_cap=config.body_limit(dialect.name) or dialect.body_cap)
        for dialect in dialects
        if config.enabled(dialect.name)
    ]
    mount_only = [dialect.name for dialect in enabled if not config.root(dialect.name)]
    return install(enabled, config.switches, mount_only)


def router(config: Config, installed: Iterable[Installed]) -> Router:
    """Return who answers what, where. Hosts that are bound to a dialect that is off are left out."""
    served = {each.dialect.name: each for each in installed}
    hosts = {host: name for host, name in config.hosts.items() if name in served}
    return Router(served.values(), hosts, config.root_order)
