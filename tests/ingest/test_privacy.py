"""A client's wish for privacy: what is left of its events, and that nothing else is kept by which it is known."""

import asyncio
import json
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from gateway.config import Config, ProjectSettings
from gateway.ingest.clients.privacy import Privacy, PrivacyPolicy, anonymous
from gateway.ingest.registry import installed_by_name
from gateway.operate.held.contents import NAMELESS
from gateway.operate.held.replay import Replay
from gateway.records.raw_request import RawRequest
from gateway.storage.held.record import QuarantineRecord
from gateway.testing.memory import MemoryStorage
from tests.dialects.appizer.privacy import SAID as APPIZER
from tests.dialects.tranthor.privacy import SAID as TRANTHOR
from tests.faults.wire import ask, request
from tests.ingest.named_persons import ADDRESS, WHO, said
from tests.kit.cases import Case, build, load, send
from tests.kit.of_dialects import subjects
from tests.kit.serving import PATIENCE, Served, add_key, run, serving
from tests.security.canaries import texts_of

CASES = load()
GPC = {"Sec-GPC": "1"}
PROJECTS = ("default", "other", "shop", "blog")
KEPT_EVENT: dict[str, Any] = {
    "project": "shop",
    "dialect": "acme",
    "type": "identify",
    "name": "ann@example.com came",
    "message_id": "ann@example.com-1",
    "timestamp": "2026-01-02T03:04:05.678Z",
    "sent_at": None,
    "received_at": "2026-01-02T03:04:05.678Z",
    "anonymous_id": "a-1",
    "user_id": "ann@example.com",
    "previous_id": "9",
    "group_id": "acme",
    "session_id": "a-1",
    "properties": {"owner": "a-1", "seat": "9", "row": "19", "all": ["ann@example.com", 9, {"by": "203.0.113.9:80"}]},
    "traits": {"email": "ann@example.com"},
    "context": {
        "ip": "203.0.113.9",
        "user_agent": "Mozilla/5.0",
        "page": {"url": "https://shop.example/ann@example.com/orders"},
        "device": {"model": "Pixel 8", "advertising_id": "38400000"},
        "acme": {"extra": {"uid": 7}},
    },
}


@pytest.mark.parametrize(
    ("policy", "headers", "expected"),
    [
        (PrivacyPolicy("mark"), {"sec-gpc": "1"}, Privacy(False, {"gpc": True})),
        (PrivacyPolicy("mark", "mark"), {"sec-gpc": "1", "dnt": "1, 1"}, Privacy(False, {"gpc": True, "dnt": True})),
        (PrivacyPolicy("anonymize", "mark"), {"sec-gpc": "1", "dnt": "1"}, Privacy(True, {"dnt": True})),
        (PrivacyPolicy("anonymize", "mark"), {"sec-gpc": "0", "dnt": "1"}, Privacy(False, {"dnt": True})),
        (PrivacyPolicy("anonymize", "anonymize"), {"dnt": "0", "sec-gpc": "yes"}, None),
        (PrivacyPolicy("anonymize"), {"dnt": "1"}, None),
        (PrivacyPolicy(), {"sec-gpc": "1", "dnt": "1"}, None),
    ],
)
def test_only_a_1_in_a_header_that_the_project_heeds_is_a_wish(
    policy: PrivacyPolicy, headers: dict[str, str], expected: Privacy | None
) -> None:
    assert policy.of(headers) == expected


def test_a_strangers_wish_is_heeded_as_the_strictest_project_does() -> None:
    projects = {"shop": ProjectSettings(honour_gpc="mark"), "blog": ProjectSettings(honour_dnt="anonymize")}
    config = Config(projects=projects)
    assert (config.heeds_wishes, Config(projects={"shop": ProjectSettings()}).heeds_wishes) == (True, False)
    asked = [config.asked(project, {"sec-gpc": "1", "dnt": "1"}) for project in ("shop", "blog", "other", None)]
    assert asked == [Privacy(False, {"gpc": True}), Privacy(True, {}), None, Privacy(True, {"gpc": True})]


def test_an_anonymous_event_has_nothing_that_says_whose_it_is() -> None:
    assert anonymous(KEPT_EVENT) == {
        **KEPT_EVENT,
        "name": "[removed] came",
        "anonymous_id": None,
        "user_id": None,
        "previous_id": None,
        "session_id": None,
        "properties": {"owner": "[removed]", "seat": "[removed]", "row": "19", "all": ALL},
        "traits": {},
        "context": {
            "user_agent": "Mozilla/5.0",
            "page": {"url": "https://shop.example/[removed]/orders"},
            "device": {"model": "Pixel 8"},
        },
    }
    company = {**KEPT_EVENT, "type": "group", "traits": {"plan": "pro"}, "session_id": "s-1"}
    assert [anonymous(company)[name] for name in ("traits", "group_id", "session_id")] == [
        {"plan": "pro"},
        "acme",
        "s-1",
    ]


@pytest.mark.parametrize(
    "spelled", ["ann+x@example.com", "ann%2Bx%40example.com", "ann%2bx%40example.com", "ann%2Bx@example.com"]
)
def test_an_id_is_not_kept_as_a_name_or_percent_encoded_in_an_address(spelled: str) -> None:
    page = {"url": f"https://shop.example/?email={spelled}&page=2"}
    event = {**KEPT_EVENT, "user_id": "ann+x@example.com", "properties": {spelled: 1}, "context": {"page": page}}
    assert (anonymous(event)["properties"], anonymous(event)["context"]) == (
        {"[removed]": 1},
        {"page": {"url": "https://shop.example/?email=[removed]&page=2"}},
    )


ALL = ["[removed]", 9, {"by": "[removed]:80"}]


def with_header(step: dict[str, Any]) -> dict[str, Any]:
    return {**step, "headers": {**step.get("headers", {}), **GPC}}


async def outcome_of(case: Case, projects: dict[str, ProjectSettings]) -> tuple[list[object], MemoryStorage]:
    storage, answers = MemoryStorage(), list[object]()
    front = build(case, storage, projects=projects)
    for step in case.document["steps"]:
        answers.append(await send(front, with_header(step["request"])))
    return answers, storage


def texts(value: object) -> Iterator[str]:
    """Yield every text in a JSON value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from texts(each)


@pytest.mark.parametrize("dialect", subjects())
async def test_whatever_a_dialect_is_sent_clients_get_the_same_answers_and_no_id_is_stored(dialect: str) -> None:
    strict, seen = {name: ProjectSettings(honour_gpc="anonymize") for name in PROJECTS}, 0
    for case in CASES:
        if case.dialect != dialect or not (case.document["events"] or case.document.get("quarantined")):
            continue
        answers, storage = await outcome_of(case, {})
        same, anonymized = await outcome_of(case, strict)
        assert same == answers, case.name
        assert len(anonymized.bodies) == len(storage.bodies)
        assert [each.key for each in anonymized.quarantined] == [each.key for each in storage.quarantined]
        assert {each.payload for each in anonymized.quarantined} <= {b""}
        assert {each.request.compressed for each in anonymized.entries if each.request is not None} <= {b""}
        for whole, line in zip(map(json.loads, storage.bodies), anonymized.bodies, strict=True):
            ids = {whole[name] for name in ("user_id", "anonymous_id", "previous_id")} | {whole["context"].get("ip")}
            event = json.loads(line)
            assert event.pop("message_id") == whole["message_id"]
            found = [(each, text) for each in filter(None, ids) for text in texts(event) if each in text]
            assert [(each, text) for each, text in found if each == text or len(each) > 7] == [], case.name
            seen += 1
    assert seen == sum(len(case.document["events"]) for case in CASES if case.dialect == dialect) > 0


CONFIG = """
[server]
trusted_proxies = ["127.0.0.1"]
[storage]
keep_raw_days = 1
[projects.shop]
honour_gpc = "anonymize"
"""
BATCH = {"batch": [{"type": "alias", "userId": WHO, "previousId": f"{WHO}-1", "messageId": "m-2", "event": "seen"}]}


def expected(dialect: str, message_id: str, properties: Mapping[str, object]) -> dict[str, Any]:
    nothing = dict.fromkeys(("sent_at", "anonymous_id", "user_id", "previous_id", "group_id", "session_id"))
    return {
        "project": "shop",
        "dialect": dialect,
        "type": "track",
        "name": "seen",
        "message_id": message_id,
        "properties": properties,
        "traits": {},
        "context": {"user_agent": "Mozilla/5.0"},
        **nothing,
    }


def sent(served: Served, path: str, body: object, headers: Mapping[str, str]) -> int:
    browser = {"User-Agent": "Mozilla/5.0", "Sec-Fetch-Site": "same-origin", "X-Forwarded-For": ADDRESS}
    return asyncio.run(ask(served.url, request(path, body, {**browser, **headers, **GPC}))).status


def rejections(served: Served, count: int) -> list[dict[str, Any]]:
    deadline = time.monotonic() + PATIENCE
    while len(lines := served.cli("quarantine", "list", "--rejected").splitlines()) < count:
        assert time.monotonic() < deadline
    numbers = [str(json.loads(line)["id"]) for line in lines]
    return [json.loads(served.cli("quarantine", "show", "--rejected", number)) for number in numbers]


def test_a_server_keeps_no_byte_that_names_a_client_who_asked_for_privacy(tmp_path: Path) -> None:
    config, data = tmp_path / "gateway.toml", tmp_path / "data"
    config.write_text(CONFIG)
    given = said()
    for dialect, opening in given.items():
        add_key(data, dialect, opening.kind, opening.key)
    with serving(data, "--config", str(config)) as served:
        answers = {name: sent(served, each.path, each.body, each.headers) // 100 for name, each in given.items()}
        assert answers == dict.fromkeys(given, 2)
        path, body, opened = APPIZER.path, APPIZER.body, APPIZER.headers
        assert sent(served, "/api/public/apps/batch", BATCH, TRANTHOR.headers) == 204
        assert sent(served, path, {**body, "event_name": 5}, opened) == 400
        assert sent(served, f"{path}?who={WHO}", body, {"Authorization": "Bearer ak_nobody", "Referer": WHO}) == 401
        events = served.events()
        [held] = [json.loads(line) for line in served.cli("quarantine", "list").splitlines()]
        rejected = rejections(served, 2)
        not_replayed = run("quarantine", "replay", "--data", str(data), str(held["id"]))
        assert served.stop() == 0
        names = [where for where, text in texts_of(data) if WHO.encode() in text or ADDRESS.encode() in text]
    assert names == []
    for event in events:
        assert event.pop("timestamp") == event.pop("received_at")
    assert [event["dialect"] for event in events] == list(given)
    for event, said_of in zip(events, given.values(), strict=True):
        if said_of.properties is None:
            assert (event["user_id"], event["anonymous_id"], event["previous_id"]) == (None, None, None)
        else:
            assert event == expected(event["dialect"], said_of.message_id or event["message_id"], said_of.properties)
    assert (held["message_id"], held["payload"], held["note"]) == ("m-2", None, NAMELESS)
    assert "privacy" in not_replayed.stdout + not_replayed.stderr
    assert [(each["project"], each["reason"], each["cut"], each["client_ip"]) for each in rejected] == [
        ("shop", "invalid", True, None),
        (None, "unknown_credential", True, None),
    ]
    kept = {"host": "gateway", "user-agent": "Mozilla/5.0", "sec-gpc": "1"}
    for each in rejected:
        del each["request"]["headers"]["content-length"]
        facts = {"method": "POST", "path": "/v1/events", "query": {}, "headers": kept, "client_ip": None, "body": ""}
        assert each["request"] == facts


async def test_a_marked_event_says_which_wish_its_client_had() -> None:
    case = next(case for case in CASES if case.dialect == "browsee" and case.document["events"])
    _, storage = await outcome_of(case, {name: ProjectSettings(honour_gpc="mark") for name in PROJECTS})
    marked = [json.loads(body) for body in storage.bodies]
    assert marked == [
        {**event, "context": {**event["context"], "privacy": {"gpc": True}}} for event in case.document["events"]
    ]


def test_a_replay_heeds_what_the_kept_request_says() -> None:
    body = json.dumps({"batch": [{"type": "identify", "messageId": "m", "userId": WHO, "traits": {"a": 1}}]}).encode()
    raw = RawRequest("POST", "/api/public/apps/batch", b"{}", b'{"sec-gpc": "1"}', body)
    item = QuarantineRecord(1, "m", 5, "shop", "tranthor", "batch", "quarantined", 0, 7, "[]", "", raw)
    config = Config(projects={"shop": ProjectSettings(honour_gpc="anonymize")})
    rows = [Replay(installed_by_name({}), asked=asked).rerun(item).row for asked in (config.asked, Config().asked)]
    events = [json.loads(row.body) for row in rows if row is not None]
    assert [(each["type"], each["user_id"], each["traits"]) for each in events] == [
        ("identify", None, {}),
        ("identify", WHO, {"a": 1}),
    ]
