"""`[storage]`: where events are kept, and for how long; `[log]`."""

import attrs

from gateway.config.setting import setting

MEBIBYTE = 1024 * 1024
DAY = 86_400.0
LEVELS = ("debug", "info", "warning", "error")
FORMATS = ("text", "json")


@attrs.frozen
class LogSettings:
    """`[log]`."""

    level: str = setting("info", choices=LEVELS, live=True, meaning="The least important messages that are logged.")
    format: str = setting(
        "text", choices=FORMATS, live=True, meaning="A line of text a message, or a JSON object a line."
    )


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
        7.0, low=0.01, high=3650, live=True, meaning="Days for which the ids of messages are remembered, at least."
    )
    keep_events_days: float = setting(
        0.0,
        low=0,
        high=36500,
        live=True,
        meaning="Days for which events and receipts are kept. 0 keeps them for ever. A project can have a time of its "
        "own.",
    )
    keep_raw_days: float = setting(
        0.0,
        low=0,
        high=3650,
        live=True,
        meaning="Days for which whole requests are kept for `gateway events retranslate`. 0 keeps none.",
    )
    compress: bool = setting(
        False,
        meaning="Compress the log, to about a fifth. The `sqlite3` command still reads `events`; other programs need "
        "a function for it: see docs/operate/retention.md.",
    )
    rejected_megabytes: float = setting(
        64.0,
        low=0,
        high=65536,
        live=True,
        meaning="Megabytes that are kept of requests that were answered with an error. 0 keeps none.",
    )
    rejected_days: float = setting(
        7.0,
        low=0.01,
        high=3650,
        live=True,
        meaning="Days for which requests that were answered with an error are kept.",
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
