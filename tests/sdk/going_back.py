"""What dialects emit of the traffic of SDKs: each item is the one that was sent, but for what docs/loss.md lists."""

import json
from pathlib import Path

from gateway.datadir import DataDir
from gateway.dialect import Files, Request
from gateway.ingest.registry import discover, install
from gateway.storage.sqlite.read.raw_requests import kept_requests
from gateway.storage.sqlite.read.reader import Reader
from tests.dialects.respelled import differences, known_fields, listed

KEEP = {"GATEWAY_STORAGE_KEEP_RAW_DAYS": "1"}
"""Makes a gateway keep the requests that it accepts."""
INSTALLED = {each.dialect.name: each for each in install(discover(), {})}


def files_of(data: Path) -> Files:
    """Return the contents of all files that came with the events of a data directory, by their SHA-256."""
    return {file.parent.name + file.name: file.read_bytes() for file in DataDir(data).blobs.glob("*/*")}


def unlisted(data: Path) -> set[tuple[str, str, str]]:
    """Return how items differ that go back to their vendor, by dialect and field, where the page does not say so."""
    found: set[tuple[str, str, str]] = set()
    files = files_of(data)
    with Reader(DataDir(data)) as reader:
        for kept in kept_requests(reader):
            installed, raw = INSTALLED[kept.dialect], kept.raw
            route, emit = installed.route(kept.route), installed.dialect.emit
            assert route is not None
            assert emit is not None
            query, headers = json.loads(raw.query), json.loads(raw.headers)
            request = Request(raw.method, raw.path, query, headers, raw.body, kept.received_at, raw.client_ip)
            items, known = route.parse(request).items, known_fields(installed)
            for index, (_, line) in kept.events.items():
                payload = items[index].payload
                assert isinstance(payload, dict)
                for item in emit(json.loads(line), files).items:
                    found |= {(kept.dialect, *each) for each in differences(payload, item, known)}
    return {each for each in found if each[1:] not in listed(INSTALLED[each[0]].dialect.title)}
