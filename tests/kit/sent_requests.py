"""Requests of real dialects as a store keeps them, without a gateway that they are sent to."""

import json
from collections.abc import Mapping
from functools import cache

import attrs

from gateway.dialect.outcome import Outcome, Verdict
from gateway.ingest.registry import Installed, installed_by_name
from gateway.operate.held.replay import Replay
from gateway.records.raw_request import RawRequest, compress
from gateway.storage.contract import Entry
from gateway.storage.held.record import QuarantineRecord
from gateway.testing.engine.given.lines import START


@cache
def installed() -> dict[str, Installed]:
    """All dialects by name."""
    return installed_by_name({})


def batch(*items: Mapping[str, object], at: int = START, project: str = "shop", keep: bool = True) -> Entry:
    """A request to Databuddy's /batch; an item that is not valid is rejected. With `keep` its body is kept."""
    raw = RawRequest(
        method="POST",
        path="/batch",
        query=b'{"website_id":"[redacted]"}',
        headers=json.dumps({"content-type": "application/json", "user-agent": "Curl/8"}).encode(),
        body=json.dumps(items).encode(),
        client_ip="192.0.2.7",
    )
    replay = Replay(installed())
    rows, outcomes = [], []
    for index, item in enumerate(items):
        name = str(item.get("eventId", f"made-{index}"))
        held = QuarantineRecord(0, name, at, project, "databuddy", "batch", "stored", index, None, "[]", "null", raw)
        run = replay.rerun(held)
        if run.row is None:
            outcomes.append(Outcome(Verdict.REJECTED, name, run.faults))
        else:
            rows.append(run.row)
            outcomes.append(Outcome(Verdict.STORED, name))
    entry = Entry(project, "databuddy", "batch", at, tuple(rows), outcomes=tuple(outcomes))
    if len(rows) == len(outcomes):
        entry = attrs.evolve(entry, outcomes=())
    return attrs.evolve(entry, raw_compressed=compress(raw)) if keep else entry
