"""What the gateway that serves here says of itself: whether it can store, and how full its queue is."""

from collections.abc import Mapping

import attrs
from aiohttp import ClientError, ClientSession, ClientTimeout, UnixConnector

from gateway.http.bind import UNIX_SCHEME, callable_url
from gateway.records.families import QUEUE_BYTES, QUEUE_LIMIT_BYTES

SECONDS = 0.4
"""How long it may take: a page that waits for it must open at once, also where nobody answers."""
MOST_BYTES = 1 << 20
READY, NOT_READY, NOT_RUNNING = "ready", "not ready", "not running"
STATES = (READY, NOT_READY, NOT_RUNNING)


@attrs.frozen(kw_only=True)
class Ingestion:
    """`state` is one of STATES. The queue's sizes are in bytes, of all its processes; None if they are not told."""

    state: str
    queue_bytes: int | None = None
    queue_limit_bytes: int | None = None


async def ask(url: str, seconds: float = SECONDS) -> Ingestion:
    """Ask the gateway at a URL. One that does not answer within `seconds` is said not to run."""
    try:
        # The answer of its own server shows no secret, and its certificate need not be for this name.
        path = url.removeprefix(UNIX_SCHEME)
        connector = UnixConnector(path) if path != url else None
        url = callable_url(url)
        async with ClientSession(timeout=ClientTimeout(total=seconds), connector=connector) as session:
            async with session.get(f"{url}/-/ready", ssl=False, allow_redirects=False) as answer:
                state = READY if answer.status == 200 else NOT_READY
            async with session.get(f"{url}/-/metrics", ssl=False, allow_redirects=False) as answer:
                metrics = b""
                async for some in answer.content.iter_any():
                    metrics += some
                    if len(metrics) > MOST_BYTES:
                        break
    except (TimeoutError, ClientError, OSError, ValueError):
        return Ingestion(state=NOT_RUNNING)
    found = _gauges(metrics)
    return Ingestion(state=state, queue_bytes=found.get(QUEUE_BYTES), queue_limit_bytes=found.get(QUEUE_LIMIT_BYTES))


def _gauges(metrics: bytes) -> Mapping[str, int]:
    """Return the queue's sizes, of metrics in Prometheus' text format."""
    found: dict[str, int] = {}
    for line in metrics.decode("ascii", "replace").splitlines():
        name, _, value = line.partition(" ")
        if name in (QUEUE_BYTES, QUEUE_LIMIT_BYTES) and len(value) < 30:
            try:
                found[name] = int(float(value))
            except (ValueError, OverflowError):
                continue
    return found
