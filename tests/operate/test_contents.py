"""Quarantined items are found in their requests; where they cannot be, a note says why."""

import json
from collections.abc import Mapping

import attrs

from gateway.ingest.registry import Installed, installed_by_name
from gateway.operate.explain import explain
from gateway.operate.held.contents import NAMELESS, NO_DIALECT, NOT_FOUND, NOT_KEPT, Contents, Shown
from gateway.operate.held.replay import Replay
from gateway.records.raw_request import RawRequest
from gateway.storage.held.record import QuarantineRecord

ITEMS = [{"type": "track", "messageId": "m-1", "n": 10**30}, {"type": "track"}]
RAW = RawRequest(
    "POST", "/api/public/apps/batch", b"{}", b"{}", json.dumps({"batch": ITEMS, "writeKey": "[redacted]"}).encode()
)
ITEM = QuarantineRecord(
    number=1,
    message_id="",
    received_at=5,
    project="shop",
    dialect="tranthor",
    route="batch",
    verdict="quarantined",
    index=0,
    receipt=7,
    faults="[]",
    payload="",
    raw=RAW,
)


def shown(item: QuarantineRecord, installed: Mapping[str, Installed] | None = None) -> Shown:
    return Contents(lambda: installed_by_name({}) if installed is None else installed).of(item)


def test_an_item_is_found_in_its_request_with_its_id() -> None:
    assert shown(ITEM) == Shown("m-1", json.dumps(ITEMS[0], separators=(",", ":")))


def test_an_id_and_a_payload_of_its_own_come_first() -> None:
    item = attrs.evolve(ITEM, index=1, message_id="made")
    assert shown(item) == Shown("made", '{"type":"track"}')
    assert shown(attrs.evolve(item, payload='{"old":1}'), {}) == Shown("made", '{"old":1}')


def test_a_note_says_why_an_item_is_not_found() -> None:
    assert shown(ITEM, {}) == Shown(None, None, NO_DIALECT)
    assert shown(attrs.evolve(ITEM, route="gone")) == Shown(None, None, NO_DIALECT)
    assert shown(attrs.evolve(ITEM, index=2, message_id="m")) == Shown("m", None, NOT_FOUND)
    too_large = attrs.evolve(RAW, body=b'{"batch":[' + b"{}," * 30_000 + b"{}]}")
    assert shown(attrs.evolve(ITEM, raw=too_large)) == Shown(None, None, NOT_FOUND)
    assert shown(attrs.evolve(ITEM, raw=attrs.evolve(RAW, headers=b"{"))) == Shown(None, None, NOT_FOUND)
    assert shown(attrs.evolve(ITEM, kept=False, raw=None, sha256="ab")) == Shown(None, None, NOT_KEPT)
    assert shown(attrs.evolve(ITEM, kept=False, raw=None)) == Shown(None, None, NAMELESS)


def test_an_item_of_an_older_gateway_without_a_request_has_only_its_payload() -> None:
    item = attrs.evolve(ITEM, message_id="q", index=None, receipt=None, raw=None, payload="{}")
    assert shown(item) == Shown("q", "{}")


def test_an_item_that_was_not_kept_cannot_be_replayed_and_the_reason_is_one_sentence() -> None:
    replay = Replay(installed_by_name({}))
    runs = [replay.rerun(attrs.evolve(ITEM, kept=False, raw=None, sha256=digest)) for digest in ("ab", None)]
    assert [explain(fault.code, fault.pointer, fault.detail) for run in runs for fault in run.faults] == [
        "the item was not kept: the quarantine of its project was full (quarantine_megabytes)",
        "the item was not kept: its client asked for privacy (honour_gpc, honour_dnt)",
    ]


def test_left_out_faults_are_counted_in_words() -> None:
    assert explain("more_faults", "", {"count": 3}) == "the item has 3 more faults, which are not kept"
