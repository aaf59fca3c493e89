"""What a request shows to prove who sends it: API keys, and the public id of one site.

A key comes in `x-api-key` or as a Bearer token (server; the vendor's page names the latter only). A site is in the
query or in a header (server), or the item names it (documented). "Client id" and "website id" are the same value.
"""

from gateway.dialect import Credential, CredentialKind, CredentialPlace, Request, bearer

API_KEY_HEADER = "x-api-key"
SITE_HEADER = "databuddy-client-id"
KEY_PLACES = (CredentialPlace("header", API_KEY_HEADER), CredentialPlace("header", "Authorization", "Bearer"))
SITE_PLACES = (
    CredentialPlace("query", "website_id"),
    CredentialPlace("query", "client_id"),
    CredentialPlace("header", SITE_HEADER),
)
IN_BODY = CredentialPlace("body", "websiteId")
"""On some routes: of the first item."""
API_KEY = CredentialKind("api_key", template="dbdy_{token}", places=KEY_PLACES)
WEBSITE = CredentialKind("website", template="{uuid}", public=True, is_site=True, places=SITE_PLACES)


def find(request: Request, item_site: str | None = None) -> tuple[Credential, ...]:
    """Return the keys, then one site: that of the query, else of the header, else `item_site`, the first item's."""
    keys = find_keys(request)
    site = site_of(request) or item_site
    return keys if site is None else (*keys, Credential(WEBSITE.name, site))


def find_keys(request: Request) -> tuple[Credential, ...]:
    """Return up to two keys. They are optional: the vendor answers an unknown key as if none had been sent."""
    key, token = _key_header(request), bearer(request.headers)
    values = [key] if key else []
    if token and token != key:
        values.append(token)
    return tuple([Credential(API_KEY.name, value, optional=True) for value in values])


def shows_key(request: Request) -> bool:
    """Return whether a request shows a key, known or not."""
    return bool(_key_header(request) or bearer(request.headers))


def site_of(request: Request) -> str | None:
    """Return the site that the query or the header names."""
    query = request.query
    return (query.get("website_id") or query.get("client_id") or request.headers.get(SITE_HEADER, "").strip()) or None


def _key_header(request: Request) -> str:
    return request.headers.get(API_KEY_HEADER, "").strip()
