"""The ways in which a case is sent: which cases share a gateway, and what is told where one ends differently."""

import json
from collections.abc import Callable
from pathlib import Path

import attrs
import pytest

from gateway.dialect import Accepted, CredentialKind, Event, Item, Received, Response
from gateway.ingest import registry
from gateway.testing import Failure, Subject, subject
from gateway.testing.check import Cost
from gateway.testing.dialect.cases import checks
from gateway.testing.ways.quick_sqlite import quick_sqlite
from gateway.testing.ways.rounds import rounds
from gateway.testing.ways.servers import WAYS
from tests.testing.acme import dialect, render
from tests.testing.checking import failure, place

HEADERS = {"Authorization": "Bearer acme_1"}


def case(*ids: str, **more: object) -> dict[str, object]:
    """Return a case that sends events with some ids and expects them to be stored."""
    steps = [
        {
            "request": {"path": "/api/acme/v1/events", "json": {"id": each, "event": "e"}},
            "answer": {"status": 202, "json": {"ok": True, "id": each}},
        }
        for each in ids
    ]
    events = [{"type": "track", "name": "e", "message_id": each} for each in dict.fromkeys(ids)]
    return {"headers": HEADERS, "steps": steps, "events": events, **more}


def of(folder: Path, cases: dict[str, dict[str, object]], rendered: Callable[[Accepted], Response] = render) -> Subject:
    """Return a dialect with a corpus of these cases."""
    (folder / "_credentials.json").write_text('[{"kind": "api_key", "value": "acme_1"}]')
    for name, document in cases.items():
        (folder / f"{name}.json").write_text(json.dumps(document))
    [route] = dialect.routes if isinstance(dialect.routes, tuple) else ()
    changed = attrs.evolve(dialect, routes=(attrs.evolve(route, render=rendered),))
    return subject("acme", folder, changed, engines=(quick_sqlite(),))


def test_cases_share_a_gateway_unless_their_ids_or_their_settings_meet(tmp_path: Path) -> None:
    limit = {"requests": 5}
    cases = {"a": case("1", "1"), "b": case("2"), "c": case("1"), "d": case("3", limit=limit), "e": case(limit=limit)}
    found = of(tmp_path, {**cases, "e": case("4", limit=limit)})
    assert [[each.name for each in together.cases] for together in rounds(found)] == [
        ["a", "b"],
        ["c"],
        ["d"],
        ["e"],
    ]


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[Subject], Subject]:
    """Have a dialect found as an installed one is."""

    def install(found: Subject) -> Subject:
        package = tmp_path / "acme_of_a_test-1.dist-info"
        package.mkdir()
        (package / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-of-a-test\nVersion: 1\n")
        (package / "entry_points.txt").write_text("[gateway.dialects]\nacme = tests.testing.test_ways:INSTALLED\n")
        monkeypatch.syspath_prepend(tmp_path)
        monkeypatch.setitem(globals(), "INSTALLED", found.dialect)
        assert "acme" in {each.name for each in registry.discover()}
        return attrs.evolve(found, is_discovered=True)

    return install


def over_http(found: Subject) -> list[str]:
    """Return what the checks that take a server say, without the folder's name."""
    wrong: list[str] = []
    for check in checks(found):
        if check.cost is not Cost.PURE:
            with pytest.raises(Failure) as raised:
                check.run()
            wrong.append(raised.value.wrong.replace(f"{found.corpus.folder}/", ""))
    return wrong


def test_a_dialect_that_is_no_installed_one_is_sent_nothing_over_http(tmp_path: Path) -> None:
    found = of(tmp_path, {"a": case("1")})
    assert (found.is_discovered, {check.cost for check in checks(found)}) == (False, {Cost.PURE})


def test_what_a_dialect_keeps_from_one_gateway_to_the_next_is_told_with_the_way_and_the_case(
    tmp_path: Path, installed: Callable[[Subject], Subject]
) -> None:
    answered: list[str] = []

    def first_only(accepted: Accepted) -> Response:
        answered.append("once")
        return render(accepted) if len(answered) == 1 else Response(200, b"again")

    found = installed(of(tmp_path, {"a": case("1")}, first_only))
    found.in_memory.send(found.corpus.cases[0])
    assert over_http(found) == [
        f"{way.name}, on sqlite, 1 of 1 cases end differently:\n"
        "a.json:\n"
        "  step 1, POST /api/acme/v1/events: status 200, expected 202\n"
        '  step 1, POST /api/acme/v1/events: body again, expected {"ok": true, "id": "1"}'
        for way in WAYS
    ]


def test_a_good_dialect_passes_in_every_way(tmp_path: Path, installed: Callable[[Subject], Subject]) -> None:
    document = case("1", "1", "2")
    found = installed(of(tmp_path, {"a": document, "b": case("1"), "c": case("5", limit={"requests": 1})}))
    every = list(checks(found))
    assert [check.cost for check in every] == [*[Cost.PURE] * 4, *[Cost.SERVER] * len(WAYS)]
    for check in every:
        check.run()


def test_a_site_that_its_origin_names_is_the_same_in_every_way(
    tmp_path: Path, installed: Callable[[Subject], Subject]
) -> None:
    [event] = dialect.routes if isinstance(dialect.routes, tuple) else ()

    def with_site(item: Item, message_id: str, received: Received) -> Event:
        made = event.translate(item, message_id, received)
        assert isinstance(made, Event), "the only item of the case is good"
        return attrs.evolve(made, context={"app": {"id": received.site}})

    by_origin = attrs.evolve(
        dialect,
        kinds=(CredentialKind("site", "{uuid}", public=True, is_site=True),),
        routes=(attrs.evolve(event, translate=with_site, site_by_origin=True),),
    )
    stored = {"type": "track", "name": "e", "message_id": "1", "context": {"app": {"id": "my-code"}}}
    document = {**case("1"), "headers": {"Origin": "https://www.blog.example"}, "events": [stored]}
    (tmp_path / "_credentials.json").write_text(
        '[{"kind": "site", "value": "my-code", "origins": ["https://blog.example"]}]'
    )
    (tmp_path / "a.json").write_text(json.dumps(document))
    found = installed(subject("acme", tmp_path, by_origin, engines=(quick_sqlite(),)))
    names = []
    for check in checks(found):
        check.run()
        names.append(check.name)
    assert names[1:] == ["cases/a", *[f"cases/all {way.name}, on sqlite" for way in WAYS]]


def raising(accepted: Accepted) -> Response:
    raise KeyError(accepted.project)


def test_an_exception_of_the_dialect_is_in_the_failure_and_not_in_the_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    found = failure(of(tmp_path, {"a": case("1")}, raising), "cases/a")
    assert found.wrong == (
        f"{tmp_path}/a.json:\n"
        f"  the dialect raised KeyError: 'default' {place(raising, 1)}\n"
        "  step 1, POST /api/acme/v1/events: status 500, expected 202\n"
        '  step 1, POST /api/acme/v1/events: body {"ok": false, "error": "internal_error"}, expected'
        ' {"ok": true, "id": "1"}'
    )
    assert caplog.records == []
