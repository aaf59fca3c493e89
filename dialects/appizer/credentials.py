"""What a request shows to prove who sends it: a server's API key, or a browser's app id.

A server sends `Authorization: Bearer <key>` (documented). The vendor does not say where a browser sends its app id, so
it is read from the body, the header `X-App-Id` or the query (inferred). It counts only without an `Authorization`.
"""

from dialects.appizer.wire import APP_ID_FIELDS
from gateway.dialect import Credential, CredentialKind, CredentialPlace, Request, bearer

APP_ID_HEADER = "x-app-id"
API_KEY = CredentialKind(
    "api_key", template="ak_{token}", places=(CredentialPlace("header", "Authorization", "Bearer"),)
)
APP = CredentialKind(
    "app",
    template="app_{token}",
    public=True,
    needs_origin=True,
    places=(
        *[CredentialPlace("body", name) for name in APP_ID_FIELDS],
        CredentialPlace("header", APP_ID_HEADER),
        *[CredentialPlace("query", name) for name in APP_ID_FIELDS],
    ),
)


def find(request: Request, body: object) -> tuple[Credential, ...]:
    """Return the key or the app id of a request whose decoded body is `body`; empty if it shows neither.

    An `Authorization` header of another scheme, or without a token, counts as a key of `""`. No key has this value, so
    the answer is INVALID_API_KEY and not MISSING_AUTH.
    """
    if request.headers.get("authorization", "").strip():
        return (Credential(API_KEY.name, bearer(request.headers) or ""),)
    app_id = _app_id(request, body)
    return () if app_id is None else (Credential(APP.name, app_id),)


def _app_id(request: Request, body: object) -> str | None:
    sent = [body.get(name) for name in APP_ID_FIELDS] if isinstance(body, dict) else []
    sent.append(request.headers.get(APP_ID_HEADER))
    sent += [request.query.get(name) for name in APP_ID_FIELDS]
    return next((value for value in sent if isinstance(value, str) and value.strip()), None)
