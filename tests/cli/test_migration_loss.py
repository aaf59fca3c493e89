"""`gateway migration loss`: what it prints, and what it says of a dialect that is unknown or cannot send."""

import json
import re
from pathlib import Path

from gateway.ingest.registry import discover
from tests.kit.serving import run

TOY = {"PYTHONPATH": str(Path(__file__).parents[1] / "toy")}
ABLE = [dialect.name for dialect in discover() if dialect.emit is not None]
PAIR = ("--from", "browsee", "--to", "appizer")


def told(*arguments: str, env: dict[str, str] | None = None) -> tuple[int, str, str]:
    done = run("migration", "loss", *arguments, env=env)
    return done.returncode, done.stdout, done.stderr


def test_the_table_that_comes_with_the_gateway_is_printed() -> None:
    code, out, err = told(*PAIR)
    words = dict(re.findall(r"^ (\S+) {2,}(\S.*?) *$", out, re.MULTILINE))
    assert (code, err, words["timestamp"], words["user_id"]) == (0, "", "changed (no place)", "carried")
    code, out, err = told(*PAIR, "--json")
    document = json.loads(out)
    assert (code, err, document["from"], document["to"], document["events"]) == (0, "", "browsee", "appizer", 100_000)
    assert document["places"]["timestamp"] == [{"what": "changed", "to": "no_place", "first": 0}]


def test_it_is_made_anew_from_as_many_events_as_are_asked_for() -> None:
    code, out, err = told(*PAIR, "--generate", "5", "--json")
    document = json.loads(out)
    assert (code, err, document["events"], document["places"]["timestamp"][0]["what"]) == (0, "", 5, "changed")


def test_what_cannot_be_shown_is_told_in_one_line() -> None:
    assert told("--from", "browsee", "--to", "apizer") == (
        1,
        "",
        "Error: there is no dialect 'apizer'; did you mean appizer?\n",
    )
    assert told("--from", "browse", "--to", "toy", env=TOY) == (
        1,
        "",
        "Error: there is no dialect 'browse'; did you mean browsee?\n",
    )
    assert told("--from", "browsee", "--to", "toy", env=TOY) == (
        1,
        "",
        f"Error: the dialect toy cannot send: it has no emit; choose from: {', '.join(ABLE)}\n",
    )
    assert told("--from", "toy", "--to", "browsee", env=TOY) == (
        1,
        "",
        "Error: no table of toy and browsee comes with the gateway: --generate 1000 makes one\n",
    )
    assert told("--from", "toy", "--to", "browsee", "--generate", "9", env=TOY) == (
        1,
        "",
        "Error: the dialect toy has neither samples nor examples to make events from\n",
    )


def test_a_missing_or_impossible_option_is_a_usage_error() -> None:
    code, out, err = told("--from", "browsee")
    assert (code, out, err.splitlines()[-1]) == (2, "", "Error: Missing option '--to'.")
    assert told(*PAIR, "--generate", "0")[0] == 2
