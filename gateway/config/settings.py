"""The tables of settings: every name, type, default, bound and meaning, and nothing else. All the rest is derived.

`python -m gateway.config.document` writes examples/gateway.toml and docs/settings.md anew after a change.
"""

from collections.abc import Mapping

import attrs

from gateway.config.addresses import console_address, host_names, public_url
from gateway.config.setting import setting
from gateway.http.client_address import Network
from gateway.ingest.address_policy import IpPolicy
from gateway.ingest.rate_limit import Limit

MEBIBYTE = 1024 * 1024
DAY = 86_400.0
LEVELS = ("debug", "info", "warning", "error")
MAX_LIMIT = 1_000_000_000


@attrs.frozen
class ServerSettings:
    """`[server]`."""

    host: str = setting("127.0.0.1", meaning="The address to listen on.")
    port: int = setting(8080, low=0, high=65535, meaning="The port to listen on. 0 picks a free one.")
    workers: int = setting(
        1, low=1, high=256, meaning="How many processes answer HTTP. On SQLite they share one writer."
    )
    body_timeout: float = setting(
        30.0, low=0.1, high=3600, meaning="Seconds that a client has to send the whole body of a request."
    )
    idle_timeout: float = setting(
        75.0,
        low=0.1,
        high=86_400,
        meaning="Seconds that a connection may wait for its next request, or for the head of one. Keep it longer than "
        "your proxy keeps its connections (nginx: 60), or the proxy sends into closed ones.",
    )
    unfinished_megabytes: float = setting(
        256.0,
        low=1,
        high=65536,
        meaning="Megabytes that all bodies together may take in each process while they are being received. Beyond it "
        "clients get 503 and try again.",
    )
    connections_per_address: int = setting(
        0,
        low=0,
        high=MAX_LIMIT,
        meaning="How many connections each client address may have open in each process; one more is closed at once. "
        "Of a client behind trusted proxies the requests in progress count in place of connections, and one more is "
        "answered 503. An IPv6 address counts as its /64. 0 is no limit.",
    )
    trusted_proxies: tuple[Network, ...] = setting(
        (),
        meaning='Addresses and networks whose X-Forwarded-For is trusted, such as ["127.0.0.1", "10.0.0.0/8"].',
    )
    root_order: tuple[str, ...] = setting(
        ("databuddy", "appizer", "tranthor", "browsee"),
        meaning="Which dialect answers a path at `/` that several claim: the first in this list. Dialects that are not "
        "in it follow by name.",
    )
    log_level: str = setting("info", choices=LEVELS, meaning="The least important messages that are logged.")
    console: str = setting(
        "127.0.0.1:8081",
        check=console_address,
        meaning='Where the console listens, which `gateway serve` starts: HOST:PORT, or "off" for none. Put a proxy '
        "with https before it where it is to be reached from other machines.",
    )
    console_hosts: tuple[str, ...] = setting(
        (),
        check=host_names,
        meaning='Further host names under which browsers may ask for the console, such as ["gateway.example.com"]. '
        "Loopback, the host that it listens on, and that of public_url need not be named.",
    )
    public_url: str | None = setting(
        None,
        check=public_url,
        example="https://collect.example.com",
        meaning="Where clients reach the gateway, if that is not where it listens. The console shows it in the lines "
        "for an SDK's settings.",
    )

    @property
    def console_address(self) -> tuple[str, int] | None:
        """Return the host and the port of `console`; None if it is off."""
        return console_address(self.console)

    @property
    def unfinished_bytes(self) -> int:
        """Return `unfinished_megabytes` in bytes."""
        return int(self.unfinished_megabytes * MEBIBYTE)


@attrs.frozen
class StorageSettings:
    """`[storage]`. The properties have the same in bytes and seconds."""

    url: str | None = setting(
        None,
        variable="STORAGE",
        secret=True,
        example="postgresql://gateway@localhost/gateway",
        meaning="Where everything is stored: `sqlite:DIR`, or a PostgreSQL URL, whose database several gateways may "
        "share. Without it, it is the data directory. `--storage` and `--data` win over it.",
    )
    queue_megabytes: float = setting(
        64.0,
        low=1,
        high=65536,
        meaning="Megabytes of events that may wait for the disk. Beyond it clients get 503 and try again.",
    )
    dedupe_days: float = setting(
        7.0, low=0.01, high=3650, meaning="Days for which the ids of messages are remembered, at least."
    )
    keep_events_days: float = setting(
        0.0,
        low=0,
        high=36500,
        meaning="Days for which events and receipts are kept. They expire while new events arrive. 0 keeps them for "
        "ever.",
    )
    keep_raw_days: float = setting(
        0.0,
        low=0,
        high=3650,
        meaning="Days for which whole requests are kept for `gateway events retranslate`. 0 keeps none.",
    )
    compress: bool = setting(
        False,
        meaning="Compress the log, to about a fifth. The `sqlite3` command still reads `events`; other programs need "
        "a function for it: see operating.md.",
    )
    rejected_megabytes: float = setting(
        64.0,
        low=0,
        high=65536,
        meaning="Megabytes that are kept of requests that were answered with an error. 0 keeps none.",
    )
    rejected_days: float = setting(
        7.0, low=0.01, high=3650, meaning="Days for which requests that were answered with an error are kept."
    )

    @property
    def queue_bytes(self) -> int:
        """Return `queue_megabytes` in bytes."""
        return int(self.queue_megabytes * MEBIBYTE)

    @property
    def dedupe_window(self) -> float:
        """Return `dedupe_days` in seconds."""
        return self.dedupe_days * DAY

    @property
    def keep_events(self) -> float:
        """Return `keep_events_days` in seconds."""
        return self.keep_events_days * DAY

    @property
    def keep_raw(self) -> float:
        """Return `keep_raw_days` in seconds."""
        return self.keep_raw_days * DAY

    @property
    def rejected_bytes(self) -> int:
        """Return `rejected_megabytes` in bytes."""
        return int(self.rejected_megabytes * MEBIBYTE)

    @property
    def rejected_window(self) -> float:
        """Return `rejected_days` in seconds."""
        return self.rejected_days * DAY


@attrs.frozen
class LimitSettings(Limit):
    """`[limits.<dialect>]`."""

    requests: int = setting(
        low=1, high=MAX_LIMIT, example=1000, meaning="How many requests each credential may send in `seconds`."
    )
    seconds: int = setting(
        attrs.fields(Limit).seconds.default, low=1, high=MAX_LIMIT, meaning="The seconds in which it may send them."
    )


@attrs.frozen
class DialectSettings:
    """`[dialects.<name>]`. `switches` are all other keys of the table, on or off, by name."""

    enabled: bool = setting(True, meaning="Whether the dialect is served.")
    root: bool = setting(
        True,
        meaning="Whether its paths are served at `/`. If not, they are served below `/<dialect>/` and on the host "
        "names that [hosts] gives it.",
    )
    body_limit_bytes: int | None = setting(
        None,
        low=1,
        meaning="Bytes that the body of a request may have, both as it is sent and after it is decompressed. Without "
        "it the dialect's own limit applies.",
    )
    switches: Mapping[str, bool] = attrs.field(factory=dict)


@attrs.frozen
class ProjectSettings:
    """`[projects.<name>]`."""

    client_ip: IpPolicy = setting(  # noqa: RUF009 (it returns an attrs field)
        IpPolicy.KEEP,
        meaning="What is kept of its clients' addresses: all, the network (/24 or /48), or nothing. For rejected "
        "requests of an unknown project the strictest setting of all projects applies.",
    )
    filter_bots: bool = setting(
        False,
        meaning="Whether events of known crawlers go into quarantine in place of the log. Their clients still get a "
        "2xx. Needs the extra `bots`.",
    )
    quarantine_megabytes: float = setting(
        256.0,
        low=0,
        high=65536,
        meaning="Megabytes that its quarantine may take. Beyond it only the fault of an invalid item is kept, with the "
        "size and the digest of its request's body; good items are always stored, and clients get the same answer.",
    )

    @property
    def quarantine_bytes(self) -> int:
        """Return `quarantine_megabytes` in bytes."""
        return int(self.quarantine_megabytes * MEBIBYTE)
