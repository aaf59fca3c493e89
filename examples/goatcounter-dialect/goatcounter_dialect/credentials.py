"""What a request shows to prove who sends it.

The API wants a token. A page has none: its site is known by the site's public code in the
query (`/count?site=mycode`), and without one by the page's origin.
"""

import base64

from gateway.dialect import Credential, CredentialKind, CredentialPlace, Request

COUNT = "count"
CODE = "site"

TOKEN = CredentialKind(
    "api_token",
    template="{token}",
    places=(CredentialPlace("header", "Authorization", "Bearer"),),
)
SITE = CredentialKind(
    "site",
    template="{uuid}",
    public=True,
    is_site=True,
    places=(CredentialPlace("query", CODE),),
)


def api(request: Request) -> tuple[Credential, ...]:
    """Return the token that a call of the API shows; `""` where it shows something else."""
    sent = request.headers.get("authorization", "")
    return (Credential(TOKEN.name, _token(sent)),) if sent else ()


def is_token(request: Request) -> bool:
    """Return whether the header has the form in which a token is sent."""
    return _token(request.headers.get("authorization", "")) != ""


def page(request: Request) -> tuple[Credential, ...]:
    """Return the site's code that a page shows."""
    code = request.query.get(CODE)
    return () if code is None else (Credential(SITE.name, code),)


def _token(header: str) -> str:
    """Return the token of `Bearer TOKEN`, or of Basic with the token as password."""
    words = header.split()
    if len(words) != 2:
        return ""
    scheme, value = words
    match scheme.lower():
        case "bearer":
            return value
        case "basic":
            return _password(value)
        case _:
            return ""


def _password(encoded: str) -> str:
    try:
        decoded = base64.b64decode(encoded, validate=True).decode()
    except ValueError:
        return ""
    return decoded.partition(":")[2]
