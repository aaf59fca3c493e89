"""The check of `render`: outcomes that it did not think of, and an error for what is kept."""

from pathlib import Path

from gateway.dialect import Accepted, OnInvalid, Response, Verdict
from tests.testing import small
from tests.testing.checking import failure, kept, place
from tests.testing.small import subject_of, with_route

NAME = "outcomes/every mix of outcomes has an answer"
TOLD_APART = "outcomes/a rejected item is answered otherwise than a stored one"
EVENTS = "POST /small-api/v1/events of events_are_stored"


def test_a_dialect_with_an_answer_to_every_mix_passes(tmp_path: Path) -> None:
    assert kept(subject_of(tmp_path), "outcomes") == [NAME, TOLD_APART]


def test_a_render_that_takes_an_item_for_granted_is_named(tmp_path: Path) -> None:
    def render(accepted: Accepted) -> Response:
        return small.json_response(202, {"id": accepted.outcomes[0].message_id})

    subject = subject_of(tmp_path, with_route("events", render=render))
    assert str(failure(subject, NAME)) == (
        f"`render` fails on {EVENTS}, with the outcomes: no items: IndexError: tuple index out of range"
        f" {place(render, 1)}"
        "\n  To do: return a Response from `render` for every admitted request, whatever its outcomes are"
    )


def test_a_render_that_answers_an_error_to_what_is_kept_is_named(tmp_path: Path) -> None:
    def render(accepted: Accepted) -> Response:
        is_good = all(outcome.verdict is not Verdict.QUARANTINED for outcome in accepted.outcomes)
        return Response(204 if is_good else 422)

    subject = subject_of(tmp_path, with_route("events", render=render))
    assert str(failure(subject, NAME)) == (
        f"{EVENTS}, with the outcomes: filtered, quarantined was answered 422, although everything is kept: a"
        " client would"
        " send it again\n  To do: have `render` answer 2xx unless an item is REJECTED"
    )


def test_a_render_that_answers_what_is_rejected_as_if_it_were_stored_is_named(tmp_path: Path) -> None:
    subject = subject_of(tmp_path, with_route("events", on_invalid=OnInvalid.REJECT_ITEM))
    assert str(failure(subject, TOLD_APART)) == (
        f'{EVENTS}, with the outcomes: rejected, stored was answered 202 {{"ids":["m-0","m-1"]}}, as if all were'
        " stored: the client takes it for stored, and it is lost"
        "\n  To do: have `render` name the items whose `outcome.verdict is Verdict.REJECTED`, as the vendor does;"
        " or let Route.on_invalid be OnInvalid.QUARANTINE, which keeps them"
    )


def test_a_render_that_leaves_rejected_items_out_passes(tmp_path: Path) -> None:
    def render(accepted: Accepted) -> Response:
        taken = [each.message_id for each in accepted.outcomes if each.verdict is not Verdict.REJECTED]
        return small.json_response(202, {"ids": taken})

    dialect = with_route("events", on_invalid=OnInvalid.REJECT_ITEM, render=render)
    assert TOLD_APART in kept(subject_of(tmp_path, dialect), "outcomes")
