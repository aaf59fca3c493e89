"""The checks of where credentials are read, with a dialect that keeps each promise and with dialects that break one."""

from pathlib import Path

import attrs

from gateway.dialect import Credential, CredentialPlace, Dialect, Request, Submission
from tests.testing import small
from tests.testing.checking import failure, kept

CASE = "POST /small-api/v1/event of an_event_is_stored"
LETTERS = "credentials/a secret in other letters is another one"
DECLARED = "credentials/each declared place is read"
ELSEWHERE = "credentials/a secret is read in no other place"
IN_HEADER = CredentialPlace("header", "x-small-key")


def with_places(dialect: Dialect, *places: CredentialPlace) -> Dialect:
    key, site = dialect.kinds
    return attrs.evolve(dialect, kinds=(attrs.evolve(key, places=places), site))


def test_a_good_dialect_keeps_every_promise(tmp_path: Path) -> None:
    names = kept(small.subject_of(tmp_path, with_places(small.DIALECT, IN_HEADER)), "credentials")
    assert names[-3:] == [LETTERS, DECLARED, ELSEWHERE]


def in_small_letters(request: Request) -> Submission:
    read = small.parse_event(request)
    return attrs.evolve(
        read, credentials=tuple([Credential(each.kind, each.value.lower()) for each in read.credentials])
    )


def test_a_key_that_is_compared_in_small_letters_is_told(tmp_path: Path) -> None:
    said = failure(small.subject_of(tmp_path, small.with_route("event", parse=in_small_letters)), LETTERS)
    assert said.wrong == (
        f"{CASE} with the large letters of its api_key as small ones, and the small as large ones, was answered 202,"
        " and 1 of its items were kept"
    )
    assert said.remedy == (
        "compare a secret letter by letter: neither `parse` nor CredentialKind.normalize may change them. Where the"
        " vendor takes both, write the value into _credentials.json and a case as `normalize` does not"
    )


def test_a_declared_place_that_is_not_read_is_told(tmp_path: Path) -> None:
    dialect = with_places(small.DIALECT, IN_HEADER, CredentialPlace("header", "Authorization", "Bearer"))
    said = failure(small.subject_of(tmp_path, dialect), DECLARED)
    assert said.wrong == (
        f"{CASE} with its api_key in the header Authorization behind Bearer alone: `parse` does not find it"
    )
    assert said.remedy == (
        "CredentialKind.places (or Description.credentials) names it: read it in `parse`, or take it out"
    )


def in_the_query_too(request: Request) -> Submission:
    read = small.parse_event(request)
    key = request.query.get("token")
    return attrs.evolve(read, credentials=(Credential("api_key", key),)) if key else read


def test_a_place_that_is_not_declared_is_told(tmp_path: Path) -> None:
    dialect = with_places(small.with_route("event", parse=in_the_query_too), IN_HEADER)
    said = failure(small.subject_of(tmp_path, dialect), ELSEWHERE)
    assert said.wrong == f"{CASE} with its api_key in the query parameter token alone: `parse` finds it there"
    assert said.remedy == (
        "name the place in CredentialKind.places (or Description.credentials): the OpenAPI document and"
        " a preflight are made of them. Or do not read it there, as the vendor does not"
    )
