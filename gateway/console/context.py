"""What the console's pages are given: the store, the settings, who is logged in. A value, no behaviour of pages."""

from collections.abc import Callable, Mapping
from functools import cached_property

import attrs
from aiohttp import web

from gateway.clock import now
from gateway.config import Config
from gateway.config.serving import install_enabled
from gateway.console.addresses import allowed_hosts
from gateway.console.sessions import Access
from gateway.http.bind import callable_url
from gateway.ingest.registry import Installed, discover
from gateway.operate.live.feed import Feed
from gateway.storage.store import Store


@attrs.define(slots=False, eq=False, kw_only=True)
class Console:
    """One console. `url` is where ingestion answers; `clock` gives milliseconds since the epoch."""

    store: Store
    config: Config
    url: str
    access: Access
    clock: Callable[[], int] = now

    def renew(self, config: Config) -> None:
        """Follow another configuration from the next request on."""
        self.config = config
        for of_the_last in ("installed", "hosts"):
            self.__dict__.pop(of_the_last, None)

    @cached_property
    def hosts(self) -> frozenset[str]:
        """The host names under which browsers may ask."""
        return allowed_hosts(self.config)

    @property
    def public_url(self) -> str:
        """Where clients reach the gateway: what an SDK's settings need."""
        return (self.config.server.public_url or callable_url(self.url)).rstrip("/")

    @cached_property
    def installed(self) -> Mapping[str, Installed]:
        """The dialects that are served, by name. They are loaded when a page first asks: their schemas take memory."""
        return {each.dialect.name: each for each in install_enabled(self.config, discover())}

    @cached_property
    def feed(self) -> Feed:
        """What arrives, for all who watch."""
        return Feed(self.store)


CONSOLE = web.AppKey("CONSOLE", Console)
