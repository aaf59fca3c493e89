"""Files to items or recorded requests: what a file is follows from how it begins."""

from collections.abc import Callable, Iterator
from pathlib import Path

import attrs

from gateway.dialect import Route
from gateway.ingest.registry import Installed
from gateway.ingest.router import Router
from gateway.operate.importing import har, json_stream, lines, source
from gateway.operate.importing.found import Found, ImportProblem, RecordedRequest
from gateway.operate.importing.importer import Importer
from gateway.operate.importing.mapping import FieldMap
from gateway.operate.importing.shape import Shape
from gateway.operate.importing.source import Source

Told = Callable[[float | None], None]
"""Called now and then with how much of a file was read, from 0 to 1; None if that is not known."""
MAX_HOSTS = 50


@attrs.frozen
class RecordedRequests:
    """The requests of a HAR that are for a route of a dialect, and to one host."""

    installed: Installed
    host: str | None = None

    def route_of(self, router: Router, recorded: RecordedRequest) -> tuple[Route, str, dict[str, str]] | None:
        """Return the route, the path without its mount and its variables; None if there is none."""
        if self.host is not None and recorded.host not in (self.host, f"{self.host}:443", f"{self.host}:80"):
            return None
        match = router.match("", recorded.method, recorded.path)
        if match is None or not isinstance(match.endpoint, Route):
            return None
        return match.endpoint, match.path, dict(match.variables)

    def router(self) -> Router:
        """Return a router of the one dialect."""
        return Router([attrs.evolve(self.installed, at_root=True)], {})


def is_har(path: Path) -> bool:
    """Return whether a file is a HAR. Raises OSError and ImportProblem."""
    with source.opened(path) as file:
        return har.is_har(file.head)


async def import_items(path: Path, shape: Shape, mapping: FieldMap | None, importer: Importer, told: Told) -> None:
    """Import a file of items. Raises ImportProblem, OSError and StorageUnavailable."""
    with source.opened(path) as file:
        found = items_of(file)
        if mapping is not None:
            found = map(mapping.applied, found)
        await importer.items(file.name, shape, found, lambda: told(file.share))


async def import_requests(path: Path, requests: RecordedRequests, importer: Importer, told: Told) -> None:
    """Import the requests of a HAR. Raises ImportProblem, OSError and StorageUnavailable."""
    router = requests.router()
    with source.opened(path) as file:
        for recorded in har.entries(file.blocks(), file.name):
            where = None if recorded is None else requests.route_of(router, recorded)
            if recorded is None or where is None:
                importer.totals.passed_over += 1
            else:
                await importer.request(file.name, recorded, *where)
            told(file.share)
    await importer.finished()


def hosts(path: Path, requests: RecordedRequests) -> list[str]:
    """Return the hosts of the requests of a HAR that are for a route, as many as MAX_HOSTS. Raises ImportProblem."""
    router, found = requests.router(), dict[str, None]()
    with source.opened(path) as file:
        for recorded in har.entries(file.blocks(), file.name):
            if recorded is not None and len(found) < MAX_HOSTS and requests.route_of(router, recorded) is not None:
                found[recorded.host] = None
    return list(found)


def items_of(file: Source) -> Iterator[Found]:
    """Return the items of a file. Raises ImportProblem, also while they are read."""
    head = file.head.lstrip()
    if head.startswith(b"["):
        return json_stream.array(file.blocks(), file.name)
    if not head or head.startswith(b"{"):
        if not lines.is_json_lines(head):
            raise ImportProblem(f"{file.name}: its lines are no JSON; write an item in each line, or all as one array")
        return lines.json_lines(file.blocks())
    if b"\0" in head:
        raise ImportProblem(f"{file.name}: this is neither JSON nor CSV, nor one of these as gzip")
    return lines.rows(file.blocks(), file.name)
