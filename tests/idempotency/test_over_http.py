"""Idempotency-Key on every dialect, over HTTP, into a real store of each engine."""

import asyncio
import itertools
import json
from collections.abc import AsyncIterator, Iterator

import aiohttp
import attrs
import pytest

from gateway.storage.engines import open_store
from gateway.testing.corpus.message import SentRequest
from gateway.testing.samples.places import json_of
from gateway.testing.samples.variants import with_body
from tests.idempotency.endpoints import MANY, Answer, add_keys, in_memory, send
from tests.kit.endpoints import Endpoint, endpoints
from tests.kit.engines import parsed
from tests.kit.log_reading import events_of
from tests.kit.of_dialects import subjects
from tests.kit.serving import Served, serving

numbers = itertools.count(1)
every_endpoint = pytest.mark.parametrize("endpoint", endpoints(), ids=str)


@attrs.frozen
class Wire:
    session: aiohttp.ClientSession
    served: Served
    url: str

    async def send(
        self, endpoint: Endpoint, request: SentRequest, key: str | None, credential: str | None = None
    ) -> Answer:
        return await send(self.session, self.served.url, endpoint, request, key, credential)

    def stored(self, *names: str) -> list[int]:
        """Return how many events there are of each name."""
        lines = [line.decode() for _, line in events_of(open_store(self.url))]
        return [sum(json.dumps(name) in line for line in lines) for name in names]


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


def test_every_dialect_that_takes_json_has_an_endpoint_here() -> None:
    takes_json = {name for name, each in subjects().items() if any(json_of(one.request) for one in each.samples)}
    assert {endpoint.dialect.name for endpoint in endpoints()} == takes_json


@every_endpoint
async def test_the_same_again_is_answered_as_the_first_time_and_stored_once(endpoint: Endpoint, wire: Wire) -> None:
    name, key = fresh()
    first, *again = [await wire.send(endpoint, endpoint.of(name), key) for _ in range(3)]
    assert (first.is_success, first.replayed) == (True, False)
    assert ([each == first for each in again], [each.replayed for each in again]) == ([True, True], [True, True])
    assert wire.stored(name) == [1]


@every_endpoint
async def test_without_a_key_the_same_content_is_two_events_unless_it_has_ids(endpoint: Endpoint, wire: Wire) -> None:
    name, _ = fresh()
    answers = [await wire.send(endpoint, endpoint.of(name), None) for _ in range(2)]
    assert [each.replayed for each in answers] == [False, False]
    assert wire.stored(name) == [1 if endpoint.ids else 2]


@every_endpoint
async def test_a_key_with_other_content_is_a_conflict_in_the_vendors_voice(endpoint: Endpoint, wire: Wire) -> None:
    name, key = fresh()
    other, _ = fresh()
    first = await wire.send(endpoint, endpoint.of(name), key)
    refused = await wire.send(endpoint, endpoint.of(other), key)
    assert refused.status in (409, 422)
    assert (refused.status, refused.body) == await in_memory(
        endpoint, (endpoint.of(name), key), (endpoint.of(other), key)
    )
    assert isinstance(refused.json, dict)
    assert "X-Gateway-Receipt" not in refused.headers
    assert await wire.send(endpoint, endpoint.of(name), key) == first
    assert wire.stored(name, other) == [1, 0]


@every_endpoint
async def test_of_many_at_once_one_is_stored_and_all_are_answered_alike(endpoint: Endpoint, wire: Wire) -> None:
    name, key = fresh()
    answers = await asyncio.gather(*[wire.send(endpoint, endpoint.of(name), key) for _ in range(20)])
    assert [each == answers[0] for each in answers] == [True] * 20
    assert sorted(each.replayed for each in answers) == [False, *[True] * 19]
    assert wire.stored(name) == [1]


@every_endpoint
async def test_of_two_contents_at_once_under_one_key_one_is_stored(endpoint: Endpoint, wire: Wire) -> None:
    name, key = fresh()
    other, _ = fresh()
    answers = await asyncio.gather(*[wire.send(endpoint, endpoint.of(each), key) for each in (name, other)])
    assert sorted(each.status in (409, 422) for each in answers) == [False, True]
    assert sorted(wire.stored(name, other)) == [0, 1]


@pytest.mark.parametrize(
    "key", ["", " ", "x" * 256, "sch\u00f6n", "a\tb"], ids=["empty", "blank", "long", "umlaut", "tab"]
)
@every_endpoint
async def test_a_malformed_key_is_a_bad_request(endpoint: Endpoint, key: str, wire: Wire) -> None:
    name, _ = fresh()
    answer = await wire.send(endpoint, endpoint.of(name), key)
    assert (answer.status, answer.body) == await in_memory(endpoint, (endpoint.of(name), key))
    assert answer.status == 400
    assert wire.stored(name) == [0]


@every_endpoint
async def test_the_longest_key_is_taken(endpoint: Endpoint, wire: Wire) -> None:
    name, key = fresh()
    answers = [await wire.send(endpoint, endpoint.of(name), key.ljust(255, "-")) for _ in range(2)]
    assert ([each.replayed for each in answers], wire.stored(name)) == ([False, True], [1])


@pytest.mark.parametrize("endpoint", MANY, ids=str)
async def test_a_batch_is_replayed_whole(endpoint: Endpoint, wire: Wire) -> None:
    names, key = [fresh()[0] for _ in range(5)], fresh()[1]
    first, again = [await wire.send(endpoint, endpoint.of(*names), key) for _ in range(2)]
    shorter = await wire.send(endpoint, endpoint.of(*names[:4]), key)
    assert (first == again, again.replayed, shorter.status in (409, 422)) == (True, True, True)
    assert wire.stored(*names) == [1] * 5


async def test_one_key_on_two_dialects_and_on_two_routes_is_two_keys(wire: Wire) -> None:
    _, key = fresh()
    one_a_route = {(each.dialect.name, each.route.name): each for each in endpoints()}
    answers = [await wire.send(each, each.of(fresh()[0]), key) for each in one_a_route.values()]
    assert [(answer.is_success, answer.replayed) for answer in answers] == [(True, False)] * len(one_a_route)
    assert len(one_a_route) > len(subjects())


def takes_nothing(endpoint: Endpoint) -> bool:
    """Return whether a request without any event is accepted."""
    return asyncio.run(in_memory(endpoint, (endpoint.of(), "a key")))[0] < 300


@pytest.mark.parametrize("endpoint", [each for each in MANY if takes_nothing(each)], ids=str)
async def test_a_request_that_holds_no_event_is_replayed_too(endpoint: Endpoint, wire: Wire) -> None:
    name, key = fresh()
    first, again = [await wire.send(endpoint, endpoint.of(), key) for _ in range(2)]
    other = await wire.send(endpoint, endpoint.of(name), key)
    assert (first.is_success, first == again, again.replayed) == (True, True, True)
    assert (other.status in (409, 422), wire.stored(name)) == (True, [0])


def batches(dialect: str) -> Endpoint:
    return next(each for each in MANY if each.dialect.name == dialect)


@pytest.mark.parametrize("bad", [{"name": 5}, {"type": "nonsense"}], ids=["a wrong name", "an unknown type"])
async def test_a_partly_bad_batch_is_replayed_as_it_was(bad: dict[str, object], wire: Wire) -> None:
    name, key = fresh()
    body = json.dumps([{"type": "track", "name": name}, {"type": "track", **bad}]).encode()
    endpoint = batches("databuddy")
    request = attrs.evolve(with_body(endpoint.one, body), target="/batch")
    first, again = [await wire.send(endpoint, request, key) for _ in range(2)]
    assert [result["status"] for result in first.json["results"]] == ["success", "error"]
    assert (first == again, again.replayed, wire.stored(name)) == (True, True, [1])


async def test_a_batch_with_a_quarantined_item_holds_it_once(wire: Wire) -> None:
    name, key = fresh()
    endpoint = batches("tranthor")
    good = {"type": "track", "event": name, "userId": "u", "messageId": name}
    request = with_body(endpoint.one, json.dumps({"batch": [good, {"type": "track", "x": name}]}).encode())
    answers = [await wire.send(endpoint, request, key) for _ in range(2)]
    listed = [each["payload"]["x"] for each in parsed(wire.served.cli("quarantine", "list"))]
    assert (answers[0] == answers[1], wire.stored(name), listed.count(name)) == (True, [1], 1)


@every_endpoint
async def test_an_error_is_not_remembered(endpoint: Endpoint, wire: Wire) -> None:
    name, key = fresh()
    refused = await wire.send(endpoint, with_body(endpoint.one, b"{"), key)
    first = await wire.send(endpoint, endpoint.of(name), key)
    assert (refused.status, first.is_success, first.replayed) == (400, True, False)
    assert wire.stored(name) == [1]


@pytest.mark.parametrize("dialect", subjects())
async def test_a_rotated_key_is_the_same_caller(dialect: str, wire: Wire) -> None:
    name, key = fresh()
    endpoint = next(each for each in endpoints() if each.dialect.name == dialect)
    first = await wire.send(endpoint, endpoint.of(name), key)
    other = wire.served.add_key(dialect, endpoint.kind.name, project="shop")
    again = await wire.send(endpoint, endpoint.of(name), key, other)
    assert (again == first, again.replayed, wire.stored(name)) == (True, True, [1])
