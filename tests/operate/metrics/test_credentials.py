"""How many credentials there are by status, and when the next one ends."""

from gateway.keys.keyring import Grant
from gateway.operate.metrics.credentials import key_metrics

NOW = 1_767_323_045_000
DAY = 86_400_000


def grant(name: str, dialect: str = "acme", **facts: object) -> Grant:
    return Grant(id=name, project="shop", dialect=dialect, kind="key", scopes=frozenset(), **facts)  # type: ignore[arg-type]


def test_credentials_are_counted_by_dialect_and_status_and_the_next_end_is_that_of_an_active_one() -> None:
    grants = [
        grant("for ever"),
        grant("in two days", expires_at=NOW + 2 * DAY),
        grant("in a day", expires_at=NOW + DAY),
        grant("in its grace", expires_at=NOW + 5000, rotated=True),
        grant("after its grace", expires_at=NOW, rotated=True),
        grant("over", expires_at=NOW - 1),
        grant("revoked", revoked=True, expires_at=NOW + 1),
        grant("of a dialect that is off", dialect="gone"),
    ]
    keys, ends = key_metrics(grants, ["acme", "other"], NOW)
    told = {(each.labels["dialect"], each.labels["status"]): each.value for each in keys.samples}
    statuses = ("active", "expiring", "rotated", "expired", "revoked")
    assert told == {
        **{("acme", status): count for status, count in zip(statuses, (3, 1, 1, 1, 1), strict=True)},
        **{("gone", status): count for status, count in zip(statuses, (1, 0, 0, 0, 0), strict=True)},
        **{("other", status): 0 for status in statuses},
    }
    assert {each.labels["dialect"]: each.value for each in ends.samples} == {
        "acme": (NOW + DAY) / 1000,
        "gone": 0,
        "other": 0,
    }
