"""Idempotency-Key on every dialect, over HTTP, into a real store of each engine."""

import asyncio
import itertools
import json
from collections import Counter
from collections.abc import AsyncIterator, Iterator

import aiohttp
import attrs
import pytest

from gateway.storage.engines import open_store
from tests.idempotency.endpoints import MANY, WAYS, Answer, Way, add_keys, send
from tests.kit.engines import parsed
from tests.kit.log_reading import events_of
from tests.kit.serving import Served, serving

numbers = itertools.count(1)
every_way = pytest.mark.parametrize("way", WAYS, ids=lambda way: f"{way.dialect}{way.path}{'[]' if way.many else ''}")


@attrs.frozen
class Wire:
    session: aiohttp.ClientSession
    served: Served
    url: str

    async def send(self, way: Way, body: bytes, key: str | None) -> Answer:
        return await send(self.session, self.served.url, way, body, key)

    def stored(self, *names: str) -> list[int]:
        """Return how many events there are of each name."""
        found = Counter(json.loads(line)["name"] for _, line in events_of(open_store(self.url)))
        return [found[name] for name in names]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, module_url: str) -> Iterator[Served]:
    add_keys(module_url)
    with serving(tmp_path_factory.mktemp("idempotency") / "data", storage=module_url) as running:
        yield running


@pytest.fixture
async def wire(served: Served, module_url: str) -> AsyncIterator[Wire]:
    async with aiohttp.ClientSession() as session:
        yield Wire(session, served, module_url)


def fresh() -> tuple[str, str]:
    number = next(numbers)
    return f"event {number}", f"key-{number}"


@every_way
async def test_the_same_again_is_answered_as_the_first_time_and_stored_once(way: Way, wire: Wire) -> None:
    name, key = fresh()
    first, *again = [await wire.send(way, way.body(name), key) for _ in range(3)]
    assert (first.status in (200, 204), first.replayed) == (True, False)
    assert ([each == first for each in again], [each.replayed for each in again]) == ([True, True], [True, True])
    assert wire.stored(name) == [1]


@pytest.mark.parametrize("way", [way for way in WAYS if way.dialect != "tranthor"], ids=lambda way: way.path)
async def test_without_a_key_the_same_content_is_two_events(way: Way, wire: Wire) -> None:
    name, _ = fresh()
    answers = [await wire.send(way, way.body(name), None) for _ in range(2)]
    assert [each.replayed for each in answers] == [False, False]
    assert wire.stored(name) == [2]


@every_way
async def test_a_key_with_other_content_is_a_conflict_in_the_vendors_voice(way: Way, wire: Wire) -> None:
    name, key = fresh()
    other, _ = fresh()
    first = await wire.send(way, way.body(name), key)
    refused = await wire.send(way, way.body(other), key)
    assert refused.status == way.conflict
    assert isinstance(refused.json, dict)
    assert "X-Gateway-Receipt" not in refused.headers
    assert await wire.send(way, way.body(name), key) == first
    assert wire.stored(name, other) == [1, 0]


@every_way
async def test_of_many_at_once_one_is_stored_and_all_are_answered_alike(way: Way, wire: Wire) -> None:
    name, key = fresh()
    answers = await asyncio.gather(*[wire.send(way, way.body(name), key) for _ in range(20)])
    assert [each == answers[0] for each in answers] == [True] * 20
    assert sorted(each.replayed for each in answers) == [False, *[True] * 19]
    assert wire.stored(name) == [1]


@every_way
async def test_of_two_contents_at_once_under_one_key_one_is_stored(way: Way, wire: Wire) -> None:
    name, key = fresh()
    other, _ = fresh()
    answers = await asyncio.gather(*[wire.send(way, way.body(each), key) for each in (name, other)])
    assert sorted(each.status == way.conflict for each in answers) == [False, True]
    assert sorted(wire.stored(name, other)) == [0, 1]


@pytest.mark.parametrize(
    "key", ["", " ", "x" * 256, "sch\u00f6n", "a\tb"], ids=["empty", "blank", "long", "umlaut", "tab"]
)
@every_way
async def test_a_malformed_key_is_a_bad_request(way: Way, key: str, wire: Wire) -> None:
    name, _ = fresh()
    answer = await wire.send(way, way.body(name), key)
    assert (answer.status, way.malformed(answer.json)) == (400, True)
    assert wire.stored(name) == [0]


@every_way
async def test_the_longest_key_is_taken(way: Way, wire: Wire) -> None:
    name, key = fresh()
    answers = [await wire.send(way, way.body(name), key.ljust(255, "-")) for _ in range(2)]
    assert ([each.replayed for each in answers], wire.stored(name)) == ([False, True], [1])


@pytest.mark.parametrize("way", MANY, ids=lambda way: way.dialect)
async def test_a_batch_is_replayed_whole(way: Way, wire: Wire) -> None:
    names, key = [fresh()[0] for _ in range(5)], fresh()[1]
    first, again = [await wire.send(way, way.body(*names), key) for _ in range(2)]
    shorter = await wire.send(way, way.body(*names[:4]), key)
    assert (first == again, again.replayed, shorter.status) == (True, True, way.conflict)
    assert wire.stored(*names) == [1] * 5


async def test_one_key_on_two_dialects_and_on_two_routes_is_two_keys(wire: Wire) -> None:
    _, key = fresh()
    answers = {}
    for way in WAYS:
        if not (way.dialect == "databuddy" and way.many):  # the same route as the other one
            answers[way.path] = (await wire.send(way, way.body(fresh()[0]), key)).replayed
    assert answers == dict.fromkeys(answers, False)


@pytest.mark.parametrize("way", [way for way in MANY if way.dialect != "appizer"], ids=lambda way: way.dialect)
async def test_a_request_that_holds_no_event_is_replayed_too(way: Way, wire: Wire) -> None:
    name, key = fresh()
    first, again = [await wire.send(way, way.body(), key) for _ in range(2)]
    other = await wire.send(way, way.body(name), key)
    assert (first.status in (200, 204), first == again, again.replayed) == (True, True, True)
    assert (other.status, wire.stored(name)) == (way.conflict, [0])


@pytest.mark.parametrize("bad", [{"name": 5}, {"type": "nonsense"}], ids=["a wrong name", "an unknown type"])
async def test_a_partly_bad_batch_is_replayed_as_it_was(bad: dict[str, object], wire: Wire) -> None:
    name, key = fresh()
    way = attrs.evolve(WAYS[0], path="/batch")
    body = json.dumps([{"type": "track", "name": name}, {"type": "track", **bad}]).encode()
    first, again = [await wire.send(way, body, key) for _ in range(2)]
    assert [result["status"] for result in first.json["results"]] == ["success", "error"]
    assert (first == again, again.replayed, wire.stored(name)) == (True, True, [1])


async def test_a_batch_with_a_quarantined_item_holds_it_once(wire: Wire) -> None:
    name, key = fresh()
    way = next(way for way in MANY if way.dialect == "tranthor")
    body = json.dumps(
        {"batch": [{"type": "track", "event": name, "userId": "u", "messageId": name}, {"type": "track", "x": name}]}
    ).encode()
    answers = [await wire.send(way, body, key) for _ in range(2)]
    listed = [each["payload"]["x"] for each in parsed(wire.served.cli("quarantine", "list"))]
    assert (answers[0] == answers[1], wire.stored(name), listed.count(name)) == (True, [1], 1)


@every_way
async def test_an_error_is_not_remembered(way: Way, wire: Wire) -> None:
    name, key = fresh()
    refused = await wire.send(way, b"{", key)
    first = await wire.send(way, way.body(name), key)
    assert (refused.status, first.status in (200, 204), first.replayed) == (400, True, False)
    assert wire.stored(name) == [1]


async def test_a_rotated_key_is_the_same_caller(wire: Wire) -> None:
    name, key = fresh()
    way = WAYS[0]
    first = await wire.send(way, way.body(name), key)
    other = wire.served.add_key("databuddy", "api_key", project="shop")
    rotated = attrs.evolve(way, headers={"Authorization": f"Bearer {other}"})
    again = await wire.send(rotated, way.body(name), key)
    assert (again == first, again.replayed, wire.stored(name)) == (True, True, [1])
