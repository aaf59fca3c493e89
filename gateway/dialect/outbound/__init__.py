"""What a dialect needs to speak its protocol outward: an event to items, items to requests. Values, pure functions."""

from gateway.dialect.outbound.connection import beside_connection, is_header
from gateway.dialect.outbound.items import (
    NO_FILES,
    NOTHING_BESIDE,
    Beside,
    Emitted,
    Files,
    Lost,
    OutboundItem,
    OutboundRequest,
    OutboundRoute,
)
from gateway.dialect.outbound.requests import requests_of
from gateway.dialect.outbound.source import Source
from gateway.dialect.outbound.spread import as_track, spread

__all__ = [
    "NOTHING_BESIDE",
    "NO_FILES",
    "Beside",
    "Emitted",
    "Files",
    "Lost",
    "OutboundItem",
    "OutboundRequest",
    "OutboundRoute",
    "Source",
    "as_track",
    "beside_connection",
    "is_header",
    "requests_of",
    "spread",
]
