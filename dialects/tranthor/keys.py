"""Write keys: how they are shown in headers, and the one spelling under which they are kept and looked up.

A key is an opaque token (`trn_...`, documented) or base64 of `<uuid>:<hex>` (Dittofeed's source). The page asks for it
in `Authorization` and in `PublicWriteKey`; upstream reads only the former and never looks at the scheme word.
"""

import base64
from collections.abc import Mapping

from gateway.dialect import Credential

KIND = "write_key"

_UUID_PARTS = [8, 4, 4, 4, 12]
_UUID_LETTERS = frozenset("0123456789abcdefABCDEF-")
_HEX = frozenset("0123456789abcdefABCDEF")
_URL_TO_STANDARD = {ord("-"): "+", ord("_"): "/"}


def shown(headers: Mapping[str, str]) -> tuple[Credential, ...]:
    """Return the key that a request shows; `Authorization` wins over `PublicWriteKey`."""
    value = normalize(headers.get("authorization", "")) or normalize(headers.get("publicwritekey", ""))
    return (Credential(KIND, value),) if value else ()


def normalize(value: str) -> str:
    """Return a key without its scheme word, whatever that is; base64 of `<uuid>:<hex>` in one spelling.

    Text behind a second space is ignored, as upstream does.
    """
    words = value.split()
    if not words:
        return ""
    token = words[1] if len(words) > 1 else words[0]
    return token if token.startswith("trn_") else _respelled(token) or token


def _respelled(token: str) -> str | None:
    standard = token.rstrip("=").translate(_URL_TO_STANDARD)
    try:
        text = base64.b64decode(standard + "=" * (-len(standard) % 4), validate=True).decode("ascii")
    except ValueError:
        return None
    name, _, rest = text.partition(":")
    secret = rest.partition(":")[0]
    if [len(part) for part in name.split("-")] != _UUID_PARTS or not _UUID_LETTERS.issuperset(name):
        return None
    if not secret or not _HEX.issuperset(secret):
        return None
    return base64.b64encode(f"{name.lower()}:{secret}".encode("ascii")).decode("ascii")
