"""What a request shows to prove who sends it: a write key, which is stored and compared in one spelling.

A key is an opaque token (`trn_...`, documented) or base64 of `<uuid>:<hex>` (upstream). The vendor's page asks for it
in both `Authorization` and `PublicWriteKey`; upstream reads only the former, and ignores its scheme word.
"""

import base64

from gateway.dialect import MAX_CREDENTIAL, Credential, CredentialKind, CredentialPlace, Request

PUBLIC_KEY_HEADER = "publicwritekey"

_OPAQUE = "trn_"
_UUID_PARTS = [8, 4, 4, 4, 12]
_UUID_LETTERS = frozenset("0123456789abcdefABCDEF-")
_HEX = frozenset("0123456789abcdefABCDEF")
_URL_TO_STANDARD = {ord("-"): "+", ord("_"): "/"}


def normalize(value: str) -> str:
    """Return a key, as a header shows it or by itself, in its one spelling: `Basic trn_abc` becomes `trn_abc`.

    The scheme word is dropped, whatever it is, and so is any text behind a second space, as upstream does. Base64 of
    `<uuid>:<hex>` is written with standard letters, padding and a lower-case UUID. What is longer than any key stays
    as it is: it is unknown in whatever spelling.
    """
    words = value.split(None, 2)
    if not words:
        return ""
    token = words[1] if len(words) > 1 else words[0]
    if token.startswith(_OPAQUE) or len(token) > MAX_CREDENTIAL:
        return token
    return _respelled(token) or token


WRITE_KEY = CredentialKind(
    "write_key",
    template="trn_{token}",
    normalize=normalize,
    places=(CredentialPlace("header", "Authorization", "Basic"), CredentialPlace("header", PUBLIC_KEY_HEADER)),
)


def find(request: Request) -> tuple[Credential, ...]:
    """Return the key of a request, empty if it shows none. `Authorization` wins over `PublicWriteKey`."""
    headers = request.headers
    value = normalize(headers.get("authorization", "")) or normalize(headers.get(PUBLIC_KEY_HEADER, ""))
    return (Credential(WRITE_KEY.name, value),) if value else ()


def _respelled(token: str) -> str | None:
    """Return base64 of `<uuid>:<hex>` in its one spelling; None for any other text."""
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
