"""What every page of docs/migrate/ has: a first event by hand, commands to check and to take along, usual mistakes."""

import json
import re
from collections.abc import Mapping
from typing import Any

import requests

from tests.docs.migrate.guide import SECTIONS
from tests.docs.migrate.team import Team
from tests.docs.readme import rows
from tests.kit.serving import PATIENCE
from tests.sdk.stored import comparable

_, _, CHECK, BACK, _ = SECTIONS


def check_the_first_event(team: Team, vendor: str) -> None:
    """What the gateway answers to it is what the page says; `...` stands for what is not known before."""
    said = team.guide(vendor).block("json", SECTIONS[0])
    pattern = re.escape(json.dumps(json.loads(said), sort_keys=True)).replace(re.escape("..."), '[^"]+')
    answered = json.dumps(json.loads(team.by_hand[vendor]), sort_keys=True)
    assert re.fullmatch(pattern, answered), answered


def check_the_commands(team: Team, vendor: str, first: Mapping[str, Any]) -> None:
    """They show and export the first event, and count at least that."""
    page = team.guide(vendor)
    follow, *look = page.blocks("sh", CHECK)
    assert follow.startswith("# until Ctrl-C\n")
    assert re.fullmatch(rf"\S+Z +shop +{vendor} .*", team.interrupted(follow, 1)[0])
    assert re.search(rf"shop +{vendor} +[1-9]", "".join(map(team.typed, look)))
    assert team.typed(page.block("sh", BACK)) == ""
    exported = (team.folder / f"{vendor}.jsonl").read_text("utf-8").splitlines()
    assert comparable(json.loads(exported[0])) == first


def check_the_mistakes(team: Team, vendor: str, requests_: Mapping[str, tuple[str, Any, Mapping[str, str]]]) -> None:
    """Each request (path, body, headers) is answered with the status and the words that stand in the page's table."""
    table = rows(team.guide(vendor).section(CHECK))
    named = {f"{status} {words}" for cell, *_ in table for status, words in _answers(cell)}
    assert named == set(requests_)
    for name, (path, body, headers) in requests_.items():
        answer = requests.post(team.gateway.url + path, json=body, headers=dict(headers), timeout=PATIENCE)
        status, _, words = name.partition(" ")
        assert (str(answer.status_code), words in answer.text) == (status, True), (name, answer.text)


def _answers(cell: str) -> list[tuple[str, str]]:
    """Return the statuses of a cell of the table, each with the words that follow it; a status holds on."""
    status, found = "", []
    for number, words in re.findall(r"\b([45][0-9]{2})\b|`([^`]+)`", cell):
        status = number or status
        if words and status and not words.startswith("/"):
            found.append((status, words))
    return found
