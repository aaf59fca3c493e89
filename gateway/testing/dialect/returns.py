"""Whether an event that is emitted and read again is the same event, or says where it is not. Raises Failure."""

from collections.abc import Mapping
from typing import Any

from gateway.dialect import Emitted
from gateway.dialect.outbound import Files
from gateway.ingest.registry import Installed
from gateway.operate.loss.compare import CARRIED, fates
from gateway.operate.loss.reading import Clock, read_back
from gateway.testing import check


def require(installed: Installed, event: Mapping[str, Any], files: Files, where: str) -> None:
    """Require that an event of this dialect goes back to its vendor as it came; `where` says where it is from."""
    assert installed.dialect.emit is not None, "the dialect can emit"
    emitted = installed.dialect.emit(event, files)
    clock = Clock(event["received_at"], event["project"], event["message_id"])
    require_told(installed, event, emitted, clock, where)
    lost = {each.place: each.why for each in emitted.lost}
    for back in read_back(installed, emitted.items, clock):
        assert back.event is not None, "told above"
        for place, fate in fates(back.event, [event], lost):
            check.require(
                fate == CARRIED or place in lost,
                f"an event of {where} comes back with {place}, which it did not have",
                "emit must add nothing to the dialect's own events",
            )


def require_told(installed: Installed, event: Mapping[str, Any], emitted: Emitted, clock: Clock, where: str) -> None:
    """Require that a dialect takes what it has emitted, and that it told of each place that is not as it was."""
    lost = {each.place: each.why for each in emitted.lost}
    check.require(
        bool(emitted.items) or lost.keys() == {""},
        f"of an event of {where} nothing is emitted, and why is not told",
        'return Emitted((), (Lost("", "no_person"),)), or another word for why',
    )
    backs = list(read_back(installed, emitted.items, clock))
    for back in backs:
        check.require(
            back.event is not None,
            f"what is emitted of an event of {where} is refused: {back.why(installed)}",
            "emit only what the schema takes, and say what is left out: Lost(place, 'limit')",
        )
    for place, fate in fates(event, [back.event for back in backs if back.event is not None], lost):
        check.require(
            fate.what in ("carried", "renamed") or place in lost or place.startswith("type "),
            f"an event of {where} loses {place} in silence: it is {fate.what}",
            "carry it, or say so: Lost(place, why)",
        )
