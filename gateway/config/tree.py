"""All settings of a server as one value: the tables together, and what other parts of the gateway ask of them."""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import attrs

from gateway.config.setting import table
from gateway.config.settings import (
    DialectSettings,
    LimitSettings,
    LogSettings,
    ProjectSettings,
    ServerSettings,
    StorageSettings,
)
from gateway.ingest.clients import privacy
from gateway.ingest.clients.address_policy import IpPolicy, apply, strictest


@attrs.frozen
class Config:
    """All settings of one server: a field a table. `data` and `file` are no settings of a file.

    `hosts` are dialects by host name, in lower case. `data` is the data directory, which holds everything unless
    `storage.url` names another store; `file` is where the settings come from, for messages.
    """

    server: ServerSettings = table(  # noqa: RUF009 (it returns an attrs field)
        ServerSettings, meaning="How the gateway listens and answers."
    )
    storage: StorageSettings = table(  # noqa: RUF009 (it returns an attrs field)
        StorageSettings, meaning="How much may wait for the disk, and what is kept for how long."
    )
    log: LogSettings = table(  # noqa: RUF009 (it returns an attrs field)
        LogSettings, meaning="What is logged, and how. The log goes to standard error."
    )
    hosts: Mapping[str, str] = table(
        dict,
        live=True,
        example="collect.example.com",
        meaning="Requests to this host name belong to one dialect, whatever their path. For all other hosts the path "
        "decides.",
    )
    limits: Mapping[str, LimitSettings] = table(
        dict,
        live=True,
        example="databuddy",
        meaning="Rate limits, for each credential by itself. A dialect without a table here has no limit.",
    )
    projects: Mapping[str, ProjectSettings] = table(
        dict,
        example="default",
        live=True,
        meaning="The settings of one project. A project without a table here has the defaults.",
    )
    dialects: Mapping[str, DialectSettings] = table(
        dict,
        live=True,
        meaning="The settings of one dialect. Its own are switches, which are off unless you turn them on.",
    )
    data: Path = Path("data")
    file: Path | None = None

    @property
    def storage_url(self) -> str:
        """Return the URL of the store, which may hold a password."""
        return self.storage.url or f"sqlite:{self.data}"

    @property
    def root_order(self) -> tuple[str, ...]:
        """Return the names of the dialects that come first where several claim a path at `/`, first of all first."""
        return self.server.root_order

    @property
    def switches(self) -> Mapping[str, frozenset[str]]:
        """Return the switches that are on, by dialect."""
        return {
            name: frozenset(switch for switch, on in each.switches.items() if on)
            for name, each in self.dialects.items()
        }

    @property
    def filter_bots(self) -> frozenset[str]:
        """Return the projects whose events of known crawlers are filtered."""
        return frozenset(name for name, project in self.projects.items() if project.filter_bots)

    def quarantine_bytes(self, project: str) -> int:
        """Return the bytes that a project's quarantine may take."""
        return self.projects.get(project, _PROJECT).quarantine_bytes

    def keep_events_of(self, project: str) -> float:
        """Return for how many seconds a project's events are kept; 0 is for ever."""
        own = self.projects.get(project, _PROJECT).keep_events
        return self.storage.keep_events if own is None else own

    def enabled(self, dialect: str) -> bool:
        """Return whether a dialect is served."""
        return self.dialects.get(dialect, _DIALECT).enabled

    def root(self, dialect: str) -> bool:
        """Return whether a dialect's paths are served at `/` too."""
        return self.dialects.get(dialect, _DIALECT).root

    def body_limit(self, dialect: str) -> int | None:
        """Return the bytes that replace a dialect's own limit of a body; None if nothing does."""
        return self.dialects.get(dialect, _DIALECT).body_limit_bytes

    def keep_ip(self, project: str | None) -> Callable[[str], str | None] | None:
        """Return a function from a client's address to what the project keeps of it; None if it keeps all.

        Without a project (no valid credential was sent) the strictest policy of all projects applies.
        """
        if not self.projects:  # a short cut: this is called for each request, and most configurations set nothing
            return None
        if project is None:
            policy = strictest(each.client_ip for each in self.projects.values())
        else:
            policy = self.projects.get(project, _PROJECT).client_ip
        return None if policy is IpPolicy.KEEP else partial(apply, policy)

    @property
    def heeds_wishes(self) -> bool:
        """Return whether some project heeds a client's wish for privacy."""
        return not all(each.privacy.ignores_all for each in self.projects.values())

    def asked(self, project: str | None, headers: Mapping[str, str]) -> privacy.Privacy | None:
        """Return what a project makes of a request's wish for privacy; None if its events are stored as they are.

        Without a project (no valid credential was sent) the strictest policy of all projects applies. Names of headers
        are in lower case.
        """
        if project is None:
            policy = privacy.strictest(each.privacy for each in self.projects.values())
        else:
            policy = self.projects.get(project, _PROJECT).privacy
        return policy.of(headers)


_DIALECT = DialectSettings()
_PROJECT = ProjectSettings()
