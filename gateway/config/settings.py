"""The tables of the configuration file: one class a table, with defaults and bounds."""

from collections.abc import Callable
from typing import Any

import attrs

from gateway.config.errors import did_you_mean
from gateway.http.client_address import Network
from gateway.ingest.address_policy import IpPolicy
from gateway.ingest.rate_limit import Limit

LEVELS = ("debug", "info", "warning", "error")
Networks = tuple[Network, ...]


def _between(low: float, high: float) -> "Callable[[object, attrs.Attribute[Any], Any], None]":
    def check(_: object, _field: "attrs.Attribute[Any]", value: Any) -> None:
        if not low <= value <= high:  # NaN fails this too
            raise ValueError(f"must be from {low} to {high}, not {value!r}")

    return check


def _level(_: object, _field: "attrs.Attribute[Any]", value: str) -> None:
    if value not in LEVELS:
        raise ValueError(f"{value!r} is not a log level; {did_you_mean(value, LEVELS)}")


@attrs.frozen
class ServerSettings:
    """`[server]`: how the server listens. Timeouts are in seconds; port 0 picks a free one.

    `idle_timeout` bounds how long a connection may wait for its next request, or for the head of one. Keep it longer
    than the time for which your proxy keeps its connections (nginx: 60), or the proxy sends into closed ones.
    `unfinished_megabytes` is what the bodies that have not come whole yet may take together, in each process.
    """

    host: str = "127.0.0.1"
    port: int = attrs.field(default=8080, validator=_between(0, 65535))
    workers: int = attrs.field(default=1, validator=_between(1, 256))
    body_timeout: float = attrs.field(default=30.0, validator=_between(0.1, 3600))
    idle_timeout: float = attrs.field(default=75.0, validator=_between(0.1, 86_400))
    unfinished_megabytes: float = attrs.field(default=256.0, validator=_between(1, 65536))
    trusted_proxies: Networks = ()
    log_level: str = attrs.field(default="info", validator=_level)


@attrs.frozen
class StorageSettings:
    """`[storage]`: how much may wait for the disk, and how long ids, events and requests are kept. 0 days is for ever
    for `keep_events_days` and off for `keep_raw_days`.
    """

    queue_megabytes: float = attrs.field(default=64.0, validator=_between(1, 65536))
    dedupe_days: float = attrs.field(default=7.0, validator=_between(0.01, 3650))
    keep_events_days: float = attrs.field(default=0.0, validator=_between(0, 36500))
    keep_raw_days: float = attrs.field(default=0.0, validator=_between(0, 3650))
    rejected_megabytes: float = attrs.field(default=64.0, validator=_between(0, 65536))
    rejected_days: float = attrs.field(default=7.0, validator=_between(0.01, 3650))


@attrs.frozen
class ProjectSettings:
    """`[projects.<name>]`: the settings of one project."""

    client_ip: IpPolicy = IpPolicy.KEEP
    filter_bots: bool = False


@attrs.frozen
class Settings:
    """The whole file. `[dialects.<name>]` has the dialect's switches, and `body_limit_bytes`."""

    server: ServerSettings = attrs.field(factory=ServerSettings)
    storage: StorageSettings = attrs.field(factory=StorageSettings)
    hosts: dict[str, str] = attrs.field(factory=dict)
    limits: dict[str, Limit] = attrs.field(factory=dict)
    dialects: dict[str, dict[str, bool | int]] = attrs.field(factory=dict)
    projects: dict[str, ProjectSettings] = attrs.field(factory=dict)
