"""The public contract: all that a dialect may import. Values and pure functions; it imports no other room."""

from gateway.dialect.contract import (
    MAX_ITEMS,
    NOTHING,
    Accepted,
    Credential,
    CredentialKind,
    Dialect,
    EventWithFiles,
    Item,
    OnInvalid,
    Received,
    Route,
    StaticRoute,
    Submission,
    Switch,
    Translated,
    bounded,
)
from gateway.dialect.decode import Undecodable, Unkept, decode, escape, flaws
from gateway.dialect.event import Event, EventType
from gateway.dialect.message import Request, Response
from gateway.dialect.outcome import Fault, Outcome, Quota, Reason, Refusal, StorageUnavailable, Verdict
from gateway.dialect.timestamps import from_iso, from_millis, from_rfc2822, from_seconds
from gateway.dialect.toolkit import (
    bearer,
    clean_header,
    is_browser,
    js_number,
    json_or_fault,
    json_type,
    time_or_original,
    unknown_fields,
    visitor,
)
from gateway.dialect.value_class import value_class

# Names from before 0.2, for dialects that were written then.
Arrival, Attached, Fixed, Handled, Kind, Unfit = (
    Received,
    EventWithFiles,
    StaticRoute,
    Accepted,
    CredentialKind,
    OnInvalid,
)
MOST_ITEMS = MAX_ITEMS

__all__ = [
    "MAX_ITEMS",
    "MOST_ITEMS",
    "NOTHING",
    "Accepted",
    "Arrival",
    "Attached",
    "Credential",
    "CredentialKind",
    "Dialect",
    "Event",
    "EventType",
    "EventWithFiles",
    "Fault",
    "Fixed",
    "Handled",
    "Item",
    "Kind",
    "OnInvalid",
    "Outcome",
    "Quota",
    "Reason",
    "Received",
    "Refusal",
    "Request",
    "Response",
    "Route",
    "StaticRoute",
    "StorageUnavailable",
    "Submission",
    "Switch",
    "Translated",
    "Undecodable",
    "Unfit",
    "Unkept",
    "Verdict",
    "bearer",
    "bounded",
    "clean_header",
    "decode",
    "escape",
    "flaws",
    "from_iso",
    "from_millis",
    "from_rfc2822",
    "from_seconds",
    "is_browser",
    "js_number",
    "json_or_fault",
    "json_type",
    "time_or_original",
    "unknown_fields",
    "value_class",
    "visitor",
]
