"""The worst requests to Appizer alone."""

from collections.abc import Mapping

from tests.faults.traffic import Keys
from tests.kit.bounds import MIB, Hostile
from tests.security.pieces import Made, numbered, post


def _bad_events(keys: Keys) -> Hostile:
    items, count = numbered(lambda at: b'{"event_name":%d}' % at, 2 * MIB)
    headers = {"Authorization": f"Bearer {keys['appizer']}"}
    return post("/v1/events/batch", headers, b'{"events":[%s]}' % items, count)


HOSTILE: Mapping[str, Made] = {"bad events": _bad_events}
