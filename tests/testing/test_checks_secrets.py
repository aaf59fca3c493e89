"""The checks of what is kept of a secret, with a dialect that keeps each promise and with dialects that break one."""

import base64
import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs
import pytest

from gateway.dialect import (
    Accepted,
    Credential,
    Event,
    Item,
    Received,
    Refusal,
    Request,
    Response,
    Submission,
    json_or_fault,
)
from tests.testing import small
from tests.testing.checking import failure, kept

ACCEPTED = "secrets/none is kept of an accepted request"
STRANGER = "secrets/none is kept of a request whose key is unknown"
SPOILED = "secrets/none is kept of a request with a bad body"
ELSEWHERE = "secrets/none is kept of a request with another method"
CASE = "POST /small-api/v1/event of an_event_is_stored"
IN_FIELDS = (
    "name its field, header or variable of the path in Dialect.secret_fields: then it is hidden where `parse` does not"
    " find it"
)
log = logging.getLogger(__name__)


def test_a_good_dialect_keeps_every_promise(tmp_path: Path) -> None:
    assert kept(small.subject_of(tmp_path), "secrets") == [ACCEPTED, STRANGER, SPOILED, ELSEWHERE]


def keyed_by_path(request: Request) -> Submission:
    return attrs.evolve(small.parse_event(request), credentials=(Credential("api_key", request.variables["key"]),))


def test_a_key_in_the_path_is_told_until_its_variable_is_named(tmp_path: Path) -> None:
    event = attrs.evolve(small.EVENT, paths=("/small-api/v1/{key}/event",), parse=keyed_by_path)
    dialect = attrs.evolve(small.DIALECT, routes=(event,))
    cases = {"an_event_is_stored": small.case({"name": "paid", "id": "e-1"}, f"{small.KEY}/event")}
    said = failure(small.subject_of(tmp_path, dialect, cases), ELSEWHERE)
    assert said.wrong == (
        f"POST /small-api/v1/{small.KEY}/event of an_event_is_stored with the method PATCH: its api_key is in the path"
        " of the rejected request"
    )
    assert said.remedy == IN_FIELDS
    kept(small.subject_of(tmp_path, attrs.evolve(dialect, secret_fields=("key",)), cases), "secrets")


def keyed_by_body(request: Request) -> Submission:
    """Read the key from the field `site` of the body, which has no telling name."""
    body, fault = json_or_fault(request.body)
    key = body.get("site") if isinstance(body, dict) else None
    shown = (Credential("api_key", key),) if isinstance(key, str) else ()
    return Submission(shown, fault=fault) if fault is not None else Submission(shown, (small.item(body),))


def without_the_key(item: Item, message_id: str, received: Received) -> Event:
    payload: Any = item.payload
    own = {name: value for name, value in payload.items() if name != "site"}
    return small.translate(attrs.evolve(item, payload=own), message_id, received)


CASES: dict[str, dict[str, Any]] = {
    "an_event_is_stored": {
        "source": "small 1",
        "steps": [
            {
                "request": {"path": "/small-api/v1/event", "json": {"name": "paid", "site": small.KEY}},
                "answer": {"status": 202},
            }
        ],
    }
}


def test_a_key_in_an_event_is_told(tmp_path: Path) -> None:
    dialect = attrs.evolve(small.with_route("event", parse=keyed_by_body), secret_fields=("site",))
    said = failure(small.subject_of(tmp_path, dialect, CASES), ACCEPTED)
    assert said.wrong == f"{CASE}: its api_key is in context.small.site of the event"
    assert said.remedy == "leave it out of what `translate` returns, and of the unknown fields that are kept"


def test_a_field_of_a_key_that_is_not_called_secret_is_told(tmp_path: Path) -> None:
    dialect = small.with_route("event", parse=keyed_by_body, translate=without_the_key)
    case = small.subject_of(tmp_path, dialect, CASES)
    said = failure(case, SPOILED)
    assert said.wrong == f"{CASE} with a body that is cut short: its api_key is in the body of the rejected request"
    assert said.remedy == IN_FIELDS
    said = failure(case, STRANGER)
    assert said.wrong == (
        f"{CASE}, whose credentials nobody knows, with a body that is cut short: its api_key is in the body of the "
        "rejected request"
    )
    assert said.remedy == IN_FIELDS
    named = small.subject_of(tmp_path, attrs.evolve(dialect, secret_fields=("site",)), CASES)
    assert kept(named, "secrets") == [ACCEPTED, STRANGER, SPOILED, ELSEWHERE]


def keyed_by_header(request: Request) -> Submission:
    key = request.headers.get("x-small-client")
    shown = () if key is None else (Credential("api_key", key),)
    return attrs.evolve(small.parse_event(request), credentials=shown)


def test_a_header_of_a_key_whose_name_does_not_tell_is_told(tmp_path: Path) -> None:
    step = json.loads(json.dumps(small.CASES["an_event_is_stored"]).replace("x-small-key", "x-small-client"))
    dialect = small.with_route("event", parse=keyed_by_header)
    said = failure(small.subject_of(tmp_path, dialect, {"an_event_is_stored": step}), ELSEWHERE)
    assert said.wrong == (
        f"{CASE} with the method PATCH: its api_key is in x-small-client of the headers of the rejected request"
    )
    assert said.remedy == IN_FIELDS
    named = attrs.evolve(dialect, secret_fields=("x-small-client",))
    case = small.subject_of(tmp_path, named, {"an_event_is_stored": step})
    assert kept(case, "secrets") == [ACCEPTED, STRANGER, SPOILED, ELSEWHERE]


def with_the_key(accepted: Accepted) -> Response:
    return small.json_response(202, {"key": accepted.request.headers["x-small-key"]})


def test_a_key_in_an_answer_is_told(tmp_path: Path) -> None:
    dialect = small.with_route("event", render=with_the_key)
    said = failure(small.subject_of(tmp_path, dialect), ACCEPTED)
    assert said.wrong == f"{CASE}: its api_key is in key of the body of the answer"
    assert said.remedy == "repeat nothing in `render` and `refuse` that was sent as a credential"


def refuse_and_log(request: Request, refusal: Refusal) -> Response:
    log.warning("refused %s", request.headers.get("x-small-key"))
    return small.refuse(request, refusal)


def test_a_key_in_the_log_is_told(tmp_path: Path) -> None:
    dialect = attrs.evolve(small.DIALECT, refuse=refuse_and_log)
    said = failure(small.subject_of(tmp_path, dialect), STRANGER)
    assert said.wrong == f"{CASE}, whose credentials nobody knows: its api_key is in a line of the log"
    assert said.remedy == "log nothing in a dialect, and raise no exception whose text has what was sent"


def test_a_public_id_may_be_kept(tmp_path: Path) -> None:
    kinds = tuple(attrs.evolve(kind, public=True) for kind in small.DIALECT.kinds)
    dialect = attrs.evolve(small.with_route("event", parse=keyed_by_body), kinds=kinds)
    assert kept(small.subject_of(tmp_path, dialect, CASES), "secrets") == [
        ACCEPTED,
        STRANGER,
        SPOILED,
        ELSEWHERE,
    ]


@pytest.mark.parametrize(
    "spelled",
    [
        lambda value: value[4:16],
        lambda value: base64.b64encode(f"Bearer {value}".encode()).decode(),
        lambda value: f"key {value[:-8]}",
    ],
)
def test_a_part_of_a_key_in_an_event_is_told(tmp_path: Path, spelled: Callable[[str], str]) -> None:
    def parse(request: Request) -> Submission:
        own = {"small": {"key": spelled(request.headers.get("x-small-key", ""))}}
        return attrs.evolve(small.parse_event(request), context=own)

    said = failure(small.subject_of(tmp_path, small.with_route("event", parse=parse)), ACCEPTED)
    assert said.wrong == f"{CASE}: a part of its api_key, or its base64, is in the event"
    assert said.remedy == "leave it out of what `translate` returns, and of the unknown fields that are kept"
