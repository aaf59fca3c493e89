"""The checks of who is admitted, with a dialect that keeps each promise and with dialects that break one."""

import base64
import json
from collections.abc import Callable
from pathlib import Path

import attrs
import pytest

from gateway.dialect import Credential, CredentialKind, Refusal, Request, Response, Submission
from gateway.testing import Subject
from gateway.testing.bugs import REMEDIES
from tests.testing import small
from tests.testing.checking import failure, kept, place

CASE = "POST /small-api/v1/event of an_event_is_stored"
ONLY_SHOWN = "return from `parse` only credentials that the request shows, each under its kind and as it was sent"
MADE = "0f1e2d3c" * 6


def test_a_good_dialect_keeps_every_promise(tmp_path: Path) -> None:
    assert kept(small.subject_of(tmp_path), "credentials") == [
        "credentials/a longer value is another one",
        "credentials/without one nothing is stored",
        "credentials/an unknown one is refused",
        "credentials/a revoked one is refused",
        "credentials/a key without the scope of the route is refused",
        "credentials/a page of another origin is refused",
        "credentials/a refusal names no project",
        "credentials/a secret in other letters is another one",
        "credentials/each declared place is read",
        "credentials/a secret is read in no other place",
    ]
    assert kept(small.subject_of(tmp_path), "kinds") == [
        "kinds/each has a case that is accepted",
        "kinds/a value that the gateway makes opens its project",
        "kinds/normalize of api_key takes any text",
        "kinds/normalize of site takes any text",
    ]


def with_key(request: Request, key: str) -> Submission:
    return attrs.evolve(small.parse_event(request), credentials=(Credential("api_key", key),))


def test_a_key_that_is_cut_is_told(tmp_path: Path) -> None:
    dialect = small.with_route(
        "event", parse=lambda request: with_key(request, request.headers.get("x-small-key", "")[:52])
    )
    said = failure(small.subject_of(tmp_path, dialect), "credentials/a longer value is another one")
    assert (
        said.wrong == f"{CASE} with 1 more characters behind its api_key was answered 202, and 1 of its items were kept"
    )
    assert said.remedy == "return the whole value from `parse`: cut to a length, many values would open one project"


def test_a_key_in_the_place_of_a_missing_one_is_told(tmp_path: Path) -> None:
    dialect = small.with_route(
        "event", parse=lambda request: with_key(request, request.headers.get("x-small-key", small.KEY))
    )
    said = failure(small.subject_of(tmp_path, dialect), "credentials/without one nothing is stored")
    assert said.wrong == f"{CASE}: whatever is left out of it, `parse` finds a credential"
    assert said.remedy == ONLY_SHOWN


def parse_with_key_in_path(request: Request) -> Submission:
    return with_key(request, request.variables["key"].lower())


LOWER = CredentialKind("api_key", "sml_{token}", normalize=str.lower)
KEY_IN_PATH = small.KEY.upper()


def with_key_in_path(folder: Path, parse: Callable[[Request], Submission] = parse_with_key_in_path) -> Subject:
    """Return a dialect whose key stands in the path, in any case, with one case that sends it in capital letters."""
    event = attrs.evolve(small.EVENT, paths=("/small-api/v1/{key}/event",), parse=parse)
    case = small.case({"name": "paid", "id": "e-1"}, f"{KEY_IN_PATH}/event")
    dialect = attrs.evolve(small.DIALECT, routes=(event,), kinds=(LOWER,), static_routes=(), headers=())
    keys = [{**each, "value": each["value"].upper()} for each in small.CREDENTIALS if each["kind"] == "api_key"]
    return small.subject_of(folder, dialect, {"an_event_is_stored": case}, keys)


def test_a_key_in_the_path_keeps_every_promise(tmp_path: Path) -> None:
    subject = with_key_in_path(tmp_path)
    assert len(kept(subject, "credentials")) == 10
    assert kept(subject, "kinds") == [
        "kinds/each has a case that is accepted",
        "kinds/a value that the gateway makes opens its project",
        "kinds/normalize of api_key takes any text",
    ]


def test_a_key_in_the_path_whose_value_does_not_matter_is_told(tmp_path: Path) -> None:
    subject = with_key_in_path(tmp_path, lambda request: with_key(request, small.KEY))
    wrong = f"POST /small-api/v1/{KEY_IN_PATH}/event of an_event_is_stored"
    said = failure(subject, "credentials/without one nothing is stored")
    assert said.wrong == f"{wrong}: whatever is left out of it, `parse` finds a credential"
    said = failure(subject, "credentials/an unknown one is refused")
    assert said.wrong == f"{wrong} with credentials that nobody knows was answered 202, and 1 of its items were kept"
    assert said.remedy == ONLY_SHOWN


def one_key_for_all(request: Request) -> Submission:
    return with_key(request, small.KEY) if "x-small-key" in request.headers else small.parse_event(request)


def test_a_key_whose_value_does_not_matter_is_told(tmp_path: Path) -> None:
    dialect = small.with_route("event", parse=one_key_for_all)
    said = failure(small.subject_of(tmp_path, dialect), "credentials/an unknown one is refused")
    assert said.wrong == f"{CASE} with credentials that nobody knows was answered 202, and 1 of its items were kept"
    assert said.remedy == ONLY_SHOWN


def own_key_for_strangers(request: Request) -> Submission:
    read = small.parse_pixel(request)
    is_stranger = "stranger" in request.headers.get("origin", "")
    return attrs.evolve(read, credentials=(Credential("api_key", small.KEY),)) if is_stranger else read


def test_a_page_of_another_origin_that_is_let_in_is_told(tmp_path: Path) -> None:
    dialect = small.with_route("pixel", parse=own_key_for_strangers)
    said = failure(small.subject_of(tmp_path, dialect), "credentials/a page of another origin is refused")
    assert said.wrong == (
        "GET /small-api/v1/pixel of a_pixel_of_a_page_is_stored with the Origin https://stranger.example, which its "
        "credentials do not allow, was answered 204, and 1 of its items were kept"
    )
    assert said.remedy == ONLY_SHOWN


def only_known_forms(request: Request) -> Submission:
    if request.headers.get("x-small-key", small.KEY) != small.KEY:
        raise ValueError("this is no key")
    return small.parse_event(request)


def test_a_parse_that_raises_is_told(tmp_path: Path) -> None:
    dialect = small.with_route("event", parse=only_known_forms)
    said = failure(small.subject_of(tmp_path, dialect), "credentials/a longer value is another one")
    assert said.wrong == (
        '`parse` fails on POST /small-api/v1/event with the body {"id":"e-1","name":"paid","user":"u-1",'
        '"properties":{"euros":5}}, made of an_event_is_stored: ValueError: this is no key'
        f" {place(only_known_forms, 2)}"
    )
    assert said.remedy == REMEDIES["parse"]


def refuse_with_limit(_request: Request, refusal: Refusal) -> Response:
    return small.json_response(400, {"limit": refusal.detail["limit"]})


def test_a_refuse_that_raises_is_told(tmp_path: Path) -> None:
    dialect = attrs.evolve(small.DIALECT, refuse=refuse_with_limit)
    said = failure(small.subject_of(tmp_path, dialect), "credentials/a revoked one is refused")
    where = place(refuse_with_limit, 1)
    assert said.wrong == f"{CASE} with revoked credentials was answered 500: KeyError: 'limit' {where}"
    assert said.remedy == REMEDIES["refuse"]


def refuse_with_project(_request: Request, refusal: Refusal) -> Response:
    return Response(refusal.reason.status, f"{refusal.reason.value} in {refusal.project}".encode(), "text/plain")


def test_a_refusal_that_names_the_project_is_told(tmp_path: Path) -> None:
    dialect = attrs.evolve(small.DIALECT, refuse=refuse_with_project)
    said = failure(small.subject_of(tmp_path, dialect), "credentials/a refusal names no project")
    assert said.wrong == f"{CASE}, sent by a stranger, was answered 401 with the name of the project in it"
    assert said.remedy == (
        "leave `refusal.project`, `.site` and `.credential_id` out of what `refuse` answers: they are for the "
        "gateway's records"
    )


def test_a_kind_that_no_case_shows_is_told(tmp_path: Path) -> None:
    dialect = attrs.evolve(small.DIALECT, kinds=(*small.DIALECT.kinds, CredentialKind("app", "app_{token}")))
    said = failure(small.subject_of(tmp_path, dialect), "kinds/each has a case that is accepted")
    assert said.wrong == f"no case of {tmp_path} is accepted with a credential of the kind app"
    assert said.remedy == ("add one for each, and a value to _credentials.json; or take the kind out of Dialect.kinds")


def only_long_keys(request: Request) -> Submission:
    key = request.headers.get("x-small-key", "")
    read = small.parse_event(request)
    return read if len(key) == len(small.KEY) else attrs.evolve(read, credentials=())


def test_a_template_of_values_that_parse_does_not_take_is_told(tmp_path: Path) -> None:
    key, site = small.DIALECT.kinds
    dialect = attrs.evolve(
        small.with_route("event", parse=only_long_keys), kinds=(attrs.evolve(key, template="small_key_{token}"), site)
    )
    said = failure(small.subject_of(tmp_path, dialect), "kinds/a value that the gateway makes opens its project")
    assert said.wrong == f"{CASE} with small_key_{MADE} in the place of its api_key: `parse` does not find it"
    assert said.remedy == (
        "`gateway keys add` makes such values of the template 'small_key_{token}': take them in `parse`, or give "
        "CredentialKind.template the form that `parse` takes"
    )


def ascii_only(value: str) -> str:
    return value.encode("ascii").decode()


def with_prefix(value: str) -> str:
    return f"sml_{value.removeprefix('sml_')}" if len(value) > 40 else f"{value}-short"


@pytest.mark.parametrize(
    ("normalize", "wrong", "remedy"),
    [
        (
            ascii_only,
            "`normalize` of the kind api_key raises UnicodeEncodeError('ascii', 'é', 0, 1, 'ordinal not in "
            r"range(128)') for '\xe9'",
            "return any other text as it is: it is unknown, in whatever spelling",
        ),
        (
            with_prefix,
            "`normalize` of the kind api_key makes '-short' of '', and '-short-short' of that",
            "have it return what stays as it is when it is normalized again: values are kept and looked up so",
        ),
    ],
)
def test_a_normalize_that_fails_on_odd_text_is_told(
    tmp_path: Path, normalize: Callable[[str], str], wrong: str, remedy: str
) -> None:
    key, site = small.DIALECT.kinds
    dialect = attrs.evolve(small.DIALECT, kinds=(attrs.evolve(key, normalize=normalize), site))
    said = failure(small.subject_of(tmp_path, dialect), "kinds/normalize of api_key takes any text")
    assert (said.wrong, said.remedy) == (wrong, remedy)


def test_a_credential_that_is_a_word_of_the_body_too_is_replaced_where_it_is_read(tmp_path: Path) -> None:
    text = json.dumps(small.CASES["an_event_is_stored"]).replace(small.KEY, "name")
    entries = [{"kind": "api_key", "value": "name"}]
    key = attrs.evolve(small.DIALECT.kinds[0], template="{token}")
    case = small.subject_of(
        tmp_path, attrs.evolve(small.DIALECT, kinds=(key,)), {"an_event_is_stored": json.loads(text)}, entries
    )
    assert "kinds/a value that the gateway makes opens its project" in kept(case, "kinds")
    assert "credentials/an unknown one is refused" in kept(case, "credentials")


def in_basic(request: Request) -> Submission:
    sent = request.headers.get("authorization", "").partition(" ")[2]
    key = base64.b64decode(sent + "=" * (-len(sent) % 4), validate=False).decode("utf-8", "replace").partition(":")[0]
    return with_key(request, key) if key else attrs.evolve(small.parse_event(request), credentials=())


def test_a_key_in_basic_authorization_is_replaced_too(tmp_path: Path) -> None:
    basic = base64.b64encode(f"{small.KEY}:".encode()).decode()
    step = {
        "request": {
            "path": "/small-api/v1/event",
            "headers": {"Authorization": f"Basic {basic}"},
            "json": {"name": "paid"},
        },
        "answer": {"status": 202},
    }
    cases = {"an_event_is_stored": {"source": "small 1", "steps": [step]}}
    case = small.subject_of(
        tmp_path,
        attrs.evolve(small.with_route("event", parse=in_basic), kinds=small.DIALECT.kinds[:1]),
        cases,
        [{"kind": "api_key", "value": small.KEY}],
    )
    assert len(kept(case, "kinds")) == 3
    assert len(kept(case, "credentials")) == 10
    assert len(kept(case, "secrets")) == 4
