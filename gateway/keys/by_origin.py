"""Which credentials admit an Origin, found by the Origin: an index, so that no request looks through all of them."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Protocol, Self

import attrs

from gateway.keys.origins import host_of_origin, origin_allowed, site_name

MAX_ORIGIN = 300
"""How many characters an Origin may have: a host name has up to 253."""


class Admitting(Protocol):
    """What the index needs to know of a credential."""

    @property
    def origins(self) -> tuple[str, ...]:
        """The hosts whose pages may use it; every page may if there are none."""
        ...


@attrs.frozen
class OriginIndex:
    """Credentials by the hosts in their lists of allowed origins; `everywhere` are those that every page may use."""

    hosts: Mapping[str, tuple[Admitting, ...]]
    everywhere: tuple[Admitting, ...]

    @classmethod
    def of(cls, entries: Iterable[Admitting]) -> Self:
        """Return the index of some credentials."""
        hosts: dict[str, dict[int, Admitting]] = {}
        everywhere = []
        for entry in entries:
            if not entry.origins or "*" in entry.origins:
                everywhere.append(entry)
                continue
            for name in entry.origins:
                hosts.setdefault(site_name(name), {})[id(entry)] = entry
        return cls({name: tuple(found.values()) for name, found in hosts.items()}, tuple(everywhere))

    def admitting(self, origin: str) -> Iterator[Admitting]:
        """Yield the credentials that admit an Origin, as `origin_allowed` does, each once; none for `null`."""
        if len(origin) > MAX_ORIGIN or origin == "null":
            return
        yield from self.everywhere
        seen: set[int] = set()
        name = host_of_origin(origin)
        while name:
            for entry in self.hosts.get(name, ()):
                if id(entry) not in seen and origin_allowed(entry.origins, origin):
                    seen.add(id(entry))
                    yield entry
            name = name.partition(".")[2]
