"""What operators are told of credentials: their records, and when they were used. For commands and the console."""

from collections.abc import Mapping

import attrs

from gateway.dialect.timestamps import from_millis
from gateway.keys.credential import CredentialRecord
from gateway.records.use_log import DAY
from gateway.storage.records import CredentialUse
from gateway.storage.store import Store
from gateway.store_error import EmptyStore, StoreError

Uses = Mapping[str, CredentialUse]
"""Uses by the id of the credential; `requests` and `rejected` are those of today."""


@attrs.frozen
class FoundUses:
    """The uses of credentials. If they could not be read, `problem` says why, and they are empty."""

    uses: Uses
    problem: str | None = None


async def uses(store: Store, now: int) -> FoundUses:
    """Return when credentials were used, and how often today; `now` is in milliseconds since the epoch.

    Uses that cannot be read keep nobody from working with credentials.
    """
    try:
        async with store.records() as records:
            return FoundUses(await records.credential_uses(now // DAY))
    except EmptyStore:
        return FoundUses({})
    except StoreError as error:
        return FoundUses({}, str(error))


def facts(record: CredentialRecord, use: CredentialUse | None, now: int) -> dict[str, object]:
    """Return a record for JSON: times in milliseconds, and in RFC 3339 under names of their own. `now` is today's."""
    known = {**attrs.asdict(record), "scopes": list(record.scopes), "origins": list(record.origins)}
    last_used = None if use is None else use.last_used
    times = {
        "created": record.created_at,
        "revoked": record.revoked_at,
        "expires": record.expires_at,
        "last_used": last_used,
    }
    return {
        **known,
        "status": record.status(now),
        "last_used_at": last_used,
        **{name: None if millis is None else from_millis(millis) for name, millis in times.items()},
        "requests_today": 0 if use is None else use.requests,
        "rejected_today": 0 if use is None else use.rejected,
    }
