"""Who sends a request and from where: its credentials, and what all its items share of their surroundings. Pure."""

from typing import Any

from gateway.dialect import Credential, Request

KEYLESS_AGENTS = ("node", "databuddy-swift")  # these SDKs say who they are in no header of their own

MAX_SITE = 255


def credentials(request: Request, first: str | None = None) -> tuple[Credential, ...]:
    """Return the keys, then one site: of the query, of the header, or of the first item."""
    shown = keys(request)
    site = _site(request) or first
    return shown if site is None else (*shown, Credential("website", site))


def keys(request: Request) -> tuple[Credential, ...]:
    """Return the keys shown. One that is not known counts as not sent: the vendor has no error for it."""
    own, bearer = request.headers.get("x-api-key", "").strip(), _bearer(request)
    if not own or own == bearer:
        return (Credential("api_key", bearer, optional=True),) if bearer else ()
    key = Credential("api_key", own, optional=True)
    return (key, Credential("api_key", bearer, optional=True)) if bearer else (key,)


def _shows_key(request: Request) -> bool:
    """Return whether a request shows any key, known or not."""
    return bool(request.headers.get("x-api-key", "").strip() or _bearer(request))


def _bearer(request: Request) -> str:
    scheme, _, token = request.headers.get("authorization", "").strip().partition(" ")
    return token.strip() if scheme == "Bearer" or scheme.lower() == "bearer" else ""


def surroundings(request: Request, first: str | None = None) -> dict[str, object]:
    """Return what all items of a request share: user agent, SDK, site.

    `first` is the site of the first item. Beside a key it stands for that item only: a key's other events need not
    belong to a site.
    """
    headers, query = request.headers, request.query
    context: dict[str, object] = {}
    agent = headers.get("user-agent")
    if agent:
        context["user_agent"] = _text(agent)
    name = headers.get("databuddy-sdk-name") or query.get("sdk_name")
    version = headers.get("databuddy-sdk-version") or query.get("sdk_version")
    if not name and not version and agent and agent.startswith(KEYLESS_AGENTS):
        product, _, rest = agent.partition("/")
        name, version = (product, rest) if product in KEYLESS_AGENTS else (None, None)
    if name or version:
        context["library"] = {key: _text(value) for key, value in (("name", name), ("version", version)) if value}
    site = _site(request) if query or "databuddy-client-id" in headers else None
    if site is None and first is not None and not _shows_key(request):
        site = first
    if site is not None:
        context["app"] = {"id": site}
    return context


def event_id(body: Any) -> str | None:
    """Return the id that an item's client gave it, where it is one."""
    return _string(body, "eventId")


def website(body: Any) -> str | None:
    """Return the site that an item names; what is too long for one is left to the schema to refuse."""
    site = _string(body, "websiteId")
    return site if site is None or len(site) <= MAX_SITE else None


def _string(body: Any, field: str) -> str | None:
    value = body.get(field) if isinstance(body, dict) else None
    return value if value and isinstance(value, str) else None


def _site(request: Request) -> str | None:
    query = request.query
    named = query.get("website_id") or query.get("client_id") or request.headers.get("databuddy-client-id", "").strip()
    return named or None


def _text(header: str) -> str:
    """Return a header fit to keep; bytes that are not UTF-8 come from the server as surrogates."""
    return header if header.isascii() else header.encode("utf-8", "surrogatepass").decode("utf-8", "replace")
