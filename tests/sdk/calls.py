"""A plain call that a page makes: where it goes, what it carries, and what it makes."""

from collections.abc import Mapping
from typing import Any

import attrs

from tests.sdk.stored import CHROMIUM

JSON = {"Content-Type": "application/json"}
AROUND = {"ip": "127.0.0.1", "user_agent": CHROMIUM}


@attrs.frozen
class Call:
    """A request whose headers all have to be allowed to a page, and the event that it makes.

    `counted` are headers of the dialect's own, with what they say in the answers to it, to it again, to one too many.
    """

    path: str
    headers: dict[str, str]
    body: Any
    status: int
    stored: dict[str, Any]
    counted: Mapping[str, list[str]] = attrs.field(factory=dict)
