"""How many credentials there are by dialect and status, and when the next one ends. Pure."""

from collections import Counter
from collections.abc import Iterable, Iterator

from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily

from gateway.keys.keyring import Grant
from gateway.keys.status import STATUSES, status


def key_metrics(grants: Iterable[Grant], dialects: Iterable[str], now: int) -> Iterator[Metric]:
    """Yield `gateway_keys` and when the next one ends; `now` is in milliseconds since the epoch.

    `dialects` have a row in any case. A rotated one ends on purpose, and is not the next.
    """
    found: Counter[tuple[str, str]] = Counter()
    ends = dict.fromkeys(dialects, 0)
    for grant in grants:
        is_now = status(revoked=grant.revoked, rotated=grant.rotated, expires_at=grant.expires_at, now=now)
        found[grant.dialect, is_now] += 1
        ends.setdefault(grant.dialect, 0)
        if is_now == "active" and grant.expires_at is not None:
            ends[grant.dialect] = min(ends[grant.dialect] or grant.expires_at, grant.expires_at)
    keys = GaugeMetricFamily("gateway_keys", "Credentials by what they are now.", labels=["dialect", "status"])
    for dialect in sorted(ends):
        for each in STATUSES:
            keys.add_metric([dialect, each], found[dialect, each])
    yield keys
    end = GaugeMetricFamily(
        "gateway_next_key_expiry_timestamp_seconds",
        "When the next active credential ends, which nobody has rotated; 0 if none has an end.",
        labels=["dialect"],
    )
    for dialect, at in sorted(ends.items()):
        end.add_metric([dialect], at / 1000)
    yield end
