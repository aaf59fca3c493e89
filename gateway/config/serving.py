"""What a configuration has served: which dialects, with which limits and switches, and on which sockets."""

import contextlib
from collections.abc import Iterable, Iterator
from pathlib import Path

import attrs

from gateway.config.load import handed_over
from gateway.config.tree import Config
from gateway.dialect.contract import Dialect
from gateway.http.listening.certificate import Certificate
from gateway.http.listening.listeners import Listeners, listening
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


@contextlib.contextmanager
def listeners(config: Config) -> Iterator[Listeners]:
    """Yield what a server listens on. Raises ConfigError, and OSError on a bad address or certificate."""
    server = config.server
    certificate(config)  # told now, before anything is made
    with listening(
        server.hosts,
        server.port,
        unix_path=None if server.unix_socket is None else Path(server.unix_socket),
        handed_over=handed_over(),
        scheme=server.scheme,
    ) as found:
        yield found


def certificate(config: Config) -> Certificate | None:
    """Return the certificate for TLS, if there is one. Raises BadCertificate."""
    server = config.server
    if server.tls_cert is None or server.tls_key is None:
        return None
    return Certificate(Path(server.tls_cert), Path(server.tls_key))
