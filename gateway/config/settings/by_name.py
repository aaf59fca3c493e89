"""The tables that there is one of for each project or dialect: `[limits.X]`, `[dialects.X]`, `[projects.P]`."""

from collections.abc import Mapping

import attrs

from gateway.config.setting import setting
from gateway.ingest.clients.address_policy import IpPolicy
from gateway.ingest.clients.privacy import IGNORE, WISHES, PrivacyPolicy
from gateway.ingest.rate_limit import Limit

MEBIBYTE = 1024 * 1024
DAY = 86_400.0
MAX_LIMIT = 1_000_000_000


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
    honour_gpc: str = setting(
        IGNORE,
        choices=WISHES,
        meaning="What is done with events whose request says `Sec-GPC: 1` (Global Privacy Control): nothing, they are "
        "marked in `context.privacy`, or they are stored without ids and address. Write it in quotes.",
    )
    honour_dnt: str = setting(
        IGNORE, choices=WISHES, meaning="The same for events whose request says `DNT: 1` (Do Not Track)."
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
    keep_events_days: float | None = setting(
        None,
        low=0,
        high=36500,
        example=90.0,
        meaning="Days for which its events and receipts are kept. 0 keeps them for ever. Without it `keep_events_days` "
        "of `[storage]` counts.",
    )

    @property
    def privacy(self) -> PrivacyPolicy:
        """Return `honour_gpc` and `honour_dnt`."""
        return PrivacyPolicy(self.honour_gpc, self.honour_dnt)

    @property
    def quarantine_bytes(self) -> int:
        """Return `quarantine_megabytes` in bytes."""
        return int(self.quarantine_megabytes * MEBIBYTE)

    @property
    def keep_events(self) -> float | None:
        """Return `keep_events_days` in seconds; None if the project has no time of its own."""
        return None if self.keep_events_days is None else self.keep_events_days * DAY
