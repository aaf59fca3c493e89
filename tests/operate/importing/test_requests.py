"""Recorded requests and items of files become the events that live requests become, in every dialect."""

import asyncio
import base64
import json
import tracemalloc
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from gateway.dialect.description import Body
from gateway.operate.importing import files
from gateway.operate.importing.found import Found
from gateway.operate.importing.importer import Importer
from gateway.operate.importing.pace import Pace
from gateway.operate.importing.reading import alone, parts
from gateway.operate.importing.shape import shape_of
from gateway.operate.importing.totals import Totals
from gateway.operate.importing.translation import Translation
from gateway.storage.contract import Appended, AppendStatus, Entry
from gateway.testing import Subject
from gateway.testing.corpus.message import NOW_TEXT
from gateway.testing.memory import MemoryStorage
from gateway.testing.samples.sample import Sample
from tests.kit.of_dialects import subjects

IMPORTED_AT = 1_800_000_000_000
OWN = ("received_at", "message_id")
"""The fields of an event that the import decides; ids that a client sent stay too, which `ids` compares."""


def importer(subject: Subject, storage: MemoryStorage, project: str) -> Importer:
    return Importer(Translation(subject.installed, project), storage.append, lambda: IMPORTED_AT, Pace())


def har(samples: Sequence[Sample], *others: object) -> bytes:
    return json.dumps(
        {"log": {"version": "1.2", "pages": [{}], "entries": [*map(recorded, samples), *others]}}
    ).encode()


def recorded(sample: Sample) -> dict[str, Any]:
    request = sample.request
    headers = [{"name": name, "value": value} for name, value in request.headers.items()]
    body = {"encoding": "base64", "text": base64.b64encode(request.body).decode()}
    answer = {"status": 200, "content": {"text": "x" * 1000}}
    told = {"method": request.method, "url": f"https://vendor.example{request.target}", "headers": headers}
    return {"startedDateTime": NOW_TEXT, "request": {**told, "postData": body}, "response": answer}


def told(bodies: Sequence[bytes | dict[str, Any]]) -> list[dict[str, Any]]:
    """Events without what the import decides, and without the address, which no proxy records."""
    events = [json.loads(each) if isinstance(each, bytes) else each for each in bodies]
    return [
        {
            name: {key: each for key, each in value.items() if key != "ip"} if name == "context" else value
            for name, value in event.items()
            if name not in OWN
        }
        for event in events
    ]


def ids(sample: Sample) -> list[str]:
    return [item.message_id for item in sample.submission.items if item.message_id]


@pytest.mark.parametrize("name", subjects())
def test_recorded_requests_become_the_events_that_they_were_live(name: str, tmp_path: Path) -> None:
    subject = subjects()[name]
    requests = files.RecordedRequests(subject.installed)
    for number, sample in enumerate(subject.samples):
        storage = MemoryStorage()
        file = tmp_path / f"{number}.har"
        file.write_bytes(har([sample]))
        importing = importer(subject, storage, sample.events[0]["project"])
        asyncio.run(files.import_requests(file, requests, importing, lambda _share: None))
        assert told(storage.bodies) == told(sample.events), sample
        named = [json.loads(body)["message_id"] for body in storage.bodies]
        assert set(ids(sample)) <= set(named)
        assert {json.loads(body)["received_at"] for body in storage.bodies} == {"2027-01-15T08:00:00.000Z"}
        before = list(storage.bodies)
        again = importer(subject, storage, sample.events[0]["project"])
        asyncio.run(files.import_requests(file, requests, again, lambda _share: None))
        assert (storage.bodies, again.totals) == (before, Totals(duplicate=len(before)))


@pytest.mark.parametrize("name", subjects())
def test_items_of_a_file_become_the_events_that_they_were_live(name: str, tmp_path: Path) -> None:
    subject = subjects()[name]
    tried = 0
    for sample in subject.samples:
        items = items_in(sample)
        if items is None:
            continue
        tried += 1
        storage, file = MemoryStorage(), tmp_path / "items"
        file.write_text("\n".join(map(json.dumps, items)))
        importing = importer(subject, storage, sample.events[0]["project"])
        asyncio.run(
            files.import_items(
                file, shape_of(subject.installed, sample.route, None), None, importing, lambda _share: None
            )
        )
        assert [each["type"] for each in told(storage.bodies)] == [each["type"] for each in sample.events], sample
        assert [each["name"] for each in told(storage.bodies)] == [each["name"] for each in sample.events]
        before = list(storage.bodies)
        file.write_text(json.dumps(items))
        again = importer(subject, storage, sample.events[0]["project"])
        asyncio.run(
            files.import_items(file, shape_of(subject.installed, sample.route, None), None, again, lambda _share: None)
        )
        if len(ids(sample)) == len(items):  # the same items, in another form of file
            assert (storage.bodies, again.totals) == (before, Totals(duplicate=len(before)))
    assert tried


def items_in(sample: Sample) -> list[Any] | None:
    """The items as they lie in the request's body; None for a request without a body."""
    if sample.route.method == "GET":
        return None
    described = sample.route.description
    body = Body() if described is None else described.body or Body()
    value = json.loads(sample.request.body)
    if body.field is not None:
        return list(value[body.field])
    return value if isinstance(value, list) else [value]


def test_what_is_for_no_route_or_another_host_is_passed_over_and_counted(tmp_path: Path) -> None:
    subject = next(iter(subjects().values()))
    sample = subject.samples[0]
    elsewhere = recorded(sample)
    elsewhere["request"]["url"] = elsewhere["request"]["url"].replace("vendor.example", "other.example")
    preflight = {"request": {"method": "OPTIONS", "url": "https://vendor.example/", "headers": []}}
    file, storage = tmp_path / "a.har", MemoryStorage()
    file.write_bytes(har([sample], elsewhere, preflight, {"request": 7}, {}, None))
    requests = files.RecordedRequests(subject.installed)
    assert (files.is_har(file), files.hosts(file, requests)) == (True, ["vendor.example", "other.example"])
    importing = importer(subject, storage, "shop")
    only = files.RecordedRequests(subject.installed, "vendor.example")
    asyncio.run(files.import_requests(file, only, importing, lambda _share: None))
    assert importing.totals == Totals(stored=len(sample.events), passed_over=5)


def test_items_of_several_sites_are_told_apart_and_have_each_their_own() -> None:
    subject = next(each for each in subjects().values() if any(kind.is_site for kind in each.installed.dialect.kinds))
    sample = next(each for each in subject.samples if any(item.site for item in each.submission.items))
    item = (items_in(sample) or [None])[0]
    site = next(each.site for each in sample.submission.items if each.site)
    text = json.dumps(item)
    found = [
        Found(number, each.encode(), each.encode(), is_json=True)
        for number, each in enumerate([text, text.replace(site, "another"), text, text.replace(site, "another")], 1)
    ]
    shapes = [shape_of(subject.installed, route, None) for route in subject.installed.routes]
    shape = next(each for each in shapes if each.most > 1 and alone(each, found[0], 0).submission.items[0].site == site)
    told = [([each.line for each in part.found], part.submission.items[0].site) for part in parts(shape, found, 0)]
    assert told == [([1, 3], site), ([2, 4], "another")]


def test_an_import_of_any_length_takes_no_more_memory() -> None:
    subject = next(each for each in subjects().values() if each.samples)
    sample = next(each for each in subject.samples if items_in(each))
    item = (items_in(sample) or [None])[0]
    text = json.dumps(item).encode()
    shape = shape_of(subject.installed, sample.route, None)

    async def append(_entry: Entry) -> Appended:
        return Appended(AppendStatus.NEW)

    def peak(count: int) -> int:
        found = (Found(number, text, text, is_json=True) for number in range(count))
        importing = Importer(Translation(subject.installed, "shop"), append, lambda: IMPORTED_AT, Pace())
        tracemalloc.start()
        try:
            asyncio.run(importing.items("file", shape, found, lambda: None))
            assert importing.totals == Totals(stored=count)
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    peak(200)
    assert peak(5000) < peak(1000) + 1_000_000
