"""--accept writes what a dialect does now into its cases, and nothing else."""

import json
import resource
from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs
import pytest

from gateway.dialect import Accepted, Dialect, Event, Item, Received, Response
from gateway.testing import Failure, accept, subject
from gateway.testing.dialect.cases import checks
from tests.testing.acme import dialect
from tests.testing.checking import place

KEY = {"Authorization": "Bearer acme_1"}
SIGNUP = {"path": "/api/acme/v1/events", "json": {"id": "e-1", "event": "signup", "user": "u-1"}}
NEW = {
    "$schema": "x",
    "headers": KEY,
    "steps": [{"request": SIGNUP}, {"request": {**SIGNUP, "json": 1}}],
    "source": "s",
}
ACCEPTED = """\
{
  "$schema": "x",
  "headers": {"Authorization": "Bearer acme_1"},
  "steps": [
    {
      "request": {"path": "/api/acme/v1/events", "json": {"id": "e-1", "event": "signup", "user": "u-1"}},
      "answer": {"status": 202, "headers": {"Content-Type": "application/json"}, "json": {"ok": true, "id": "e-1"}}
    },
    {
      "request": {"path": "/api/acme/v1/events", "json": 1},
      "answer": {
        "status": 400,
        "headers": {"Content-Type": "application/json"},
        "json": {"ok": false, "error": "invalid"}
      }
    }
  ],
  "events": [{"type": "track", "name": "signup", "message_id": "e-1", "user_id": "u-1"}],
  "source": "s"
}
"""


def write(folder: Path, case: dict[str, Any]) -> Path:
    (folder / "_credentials.json").write_text('[{"kind": "api_key", "value": "acme_1"}]')
    file = folder / "a_signup_is_stored.json"
    file.write_text(json.dumps(case))
    return file


def accepted(folder: Path, of: Dialect = dialect) -> list[Path]:
    """Accept all that a dialect does now."""
    found = subject("acme", folder, of)
    return accept(found, found.corpus.cases)


def problem(folder: Path, of: Dialect = dialect) -> str:
    """Return what the case's check says."""
    [_, check] = checks(subject("acme", folder, of))
    with pytest.raises(Failure) as raised:
        check.run()
    return raised.value.wrong.replace(f"{folder}/", "")


def test_a_new_case_is_completed_in_its_shortest_form_and_then_holds(tmp_path: Path) -> None:
    file = write(tmp_path, NEW)
    assert problem(tmp_path).splitlines()[:2] == [
        "a_signup_is_stored.json:",
        "  step 1, POST /api/acme/v1/events: the case does not say yet how this is answered; --accept writes that, too",
    ]
    assert (accepted(tmp_path), file.read_text()) == ([file], ACCEPTED)
    for check in checks(subject("acme", tmp_path, dialect)):
        check.run()
    assert accepted(tmp_path) == []


def test_what_a_dialect_does_otherwise_is_told_and_accepted_and_only_headers_that_were_compared_are_compared(
    tmp_path: Path,
) -> None:
    def render(accepted: Accepted) -> Response:
        return Response(200, b"thanks", "text/plain", {"X-New": "1", "X-Both": "2"})

    [route] = subject("acme", tmp_path, dialect).installed.routes
    other = attrs.evolve(dialect, routes=(attrs.evolve(route, render=render),))
    answer = {"status": 202, "headers": {"X-Both": None}, "json": {"ok": True, "id": "e-1"}}
    file = write(tmp_path, {"steps": [{"request": {**SIGNUP, "headers": KEY}, "answer": answer}], "events": []})
    assert problem(tmp_path, other).splitlines() == [
        "a_signup_is_stored.json:",
        "  step 1, POST /api/acme/v1/events: status 200, expected 202",
        '  step 1, POST /api/acme/v1/events: body thanks, expected {"ok": true, "id": "e-1"}',
        "  step 1, POST /api/acme/v1/events: header X-Both: 2, expected null",
        "  1 events, expected 0",
        '  event that is not expected: {"type": "track", "name": "signup", "message_id": "e-1", "user_id": "u-1"}',
    ]
    accepted(tmp_path, other)
    [step] = json.loads(file.read_text())["steps"]
    assert step["answer"] == {"status": 200, "headers": {"X-Both": "2"}, "text": "thanks"}


def test_an_event_that_is_another_is_told_place_by_place(tmp_path: Path) -> None:
    file = write(tmp_path, NEW)
    accepted(tmp_path)
    file.write_text(file.read_text().replace('"user_id": "u-1"', '"group_id": "g", "properties": {"a": 1}'))
    assert problem(tmp_path).splitlines()[1:] == [
        "  event 1, /user_id: u-1, expected null",
        "  event 1, /group_id: null, expected g",
        "  event 1, /properties/a: nothing, expected 1",
    ]


def test_a_bug_is_never_accepted(tmp_path: Path) -> None:
    def render(_accepted: Accepted) -> Response:
        raise ZeroDivisionError

    [route] = subject("acme", tmp_path, dialect).installed.routes
    broken = attrs.evolve(dialect, routes=(attrs.evolve(route, render=render),))
    file = write(tmp_path, NEW)
    with pytest.raises(Failure) as raised:
        accepted(tmp_path, broken)
    where = place(render, 1)
    assert (raised.value.wrong, raised.value.remedy) == (
        f"{file}: a request is answered with 500: the dialect raised ZeroDivisionError {where}",
        "mend the dialect first: no case expects a bug",
    )
    assert json.loads(file.read_text()) == NEW
    assert problem(tmp_path, broken).splitlines()[1] == f"  the dialect raised ZeroDivisionError {where}"


def translating(folder: Path, change: Callable[[Event], Event]) -> Dialect:
    """Return the dialect with another `translate`."""
    [route] = subject("acme", folder, dialect).installed.routes
    translate = route.translate

    def changed(item: Item, message_id: str, received: Received) -> Event:
        event = translate(item, message_id, received)
        assert isinstance(event, Event), "of an item of this test"
        return change(event)

    return attrs.evolve(dialect, routes=(attrs.evolve(route, translate=changed),))


def refused(folder: Path, of: Dialect) -> tuple[str, str]:
    """Return why nothing is accepted, and what to do, once no file has changed."""
    before = {file: file.read_text() for file in folder.iterdir()}
    with pytest.raises(Failure) as raised:
        accepted(folder, of)
    assert {file: file.read_text() for file in folder.iterdir()} == before
    return raised.value.wrong.replace(f"{folder}/", ""), raised.value.remedy


@pytest.mark.parametrize("secret", ["acme_1", "Bearer acme_1 ", "YWNtZV8x", "acme%5F1"])
def test_a_secret_is_never_accepted_however_it_is_written(tmp_path: Path, secret: str) -> None:
    write(tmp_path, NEW)
    leaking = translating(tmp_path, lambda event: attrs.evolve(event, properties={"sent": [{"key": secret}]}))
    assert refused(tmp_path, leaking) == (
        "a_signup_is_stored.json: a secret api_key would be written into the events: it is in properties.sent.0.key",
        "have `translate` leave it out first: no case expects an event with a secret",
    )


def test_an_event_that_is_none_is_never_accepted(tmp_path: Path) -> None:
    write(tmp_path, NEW)
    wrong = translating(tmp_path, lambda event: attrs.evolve(event, context={"page": {"url": 1}}))
    assert refused(tmp_path, wrong) == (
        "a_signup_is_stored.json: an event of `translate` is kept aside as not_canonical, for its /context/page/url "
        "(type)",
        "mend `translate` first: an event has the fields of docs/events.md, each with such a value",
    )


def test_no_case_is_written_where_another_one_cannot_be(tmp_path: Path) -> None:
    corpus, elsewhere = tmp_path / "corpus", tmp_path / "elsewhere.json"
    corpus.mkdir()
    file = write(corpus, NEW)
    elsewhere.write_text(file.read_text())
    (corpus / "z_is_stored.json").symlink_to(elsewhere)
    assert refused(corpus, dialect) == (
        f"z_is_stored.json: it is a link to {elsewhere}, out of {corpus}",
        "put the case itself into the folder, or take the link away",
    )


def test_a_link_inside_the_corpus_stays_one_and_rights_stay(tmp_path: Path) -> None:
    file, link = write(tmp_path, NEW), tmp_path / "a_link.json"
    file.chmod(0o640)
    link.symlink_to(file.name)
    accepted(tmp_path)
    assert (link.is_symlink(), file.read_text(), file.stat().st_mode & 0o777) == (True, ACCEPTED, 0o640)
    assert sorted(each.name for each in tmp_path.iterdir()) == ["_credentials.json", link.name, file.name]


def test_a_case_that_does_not_fit_onto_the_disk_stays_as_it_was(tmp_path: Path) -> None:
    file = write(tmp_path, NEW)
    size = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, size[1]))  # Python takes its signal for an error
    try:
        told = refused(tmp_path, dialect)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, size)
    assert told == (
        "a_signup_is_stored.json: it cannot be written: File too large",
        "make the folder one that you may write to, on a disk with room",
    )
    assert json.loads(file.read_text()) == NEW
