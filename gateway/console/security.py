"""What every request to the console passes, and every answer: who asks, from which page, how many at once. No page."""

import asyncio
import logging
from collections.abc import Callable
from urllib.parse import quote

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from gateway.console import addresses
from gateway.console.page import SESSION, console_of, is_streaming, json_answer, render
from gateway.console.sessions import Locked, same
from gateway.keys.credential import KeyFileError
from gateway.printable import printable
from gateway.store_error import StoreError

COOKIE = "gateway_console"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Server": "gateway",
}
"""On every answer, also on redirects, errors, and what is not HTTP."""
MAX_BODY = 64 * 1024
BODY_SECONDS = 10.0
REQUEST_SECONDS = 30.0
READERS = 8
"""How many requests may read the store at once; others wait for PLACE_SECONDS, then they get 503."""
PLACE_SECONDS = 5.0
FORM = "application/x-www-form-urlencoded"
BEGUN = web.RequestKey("BEGUN", bool)
"""Set once an answer has begun: then no other one can be given in its place."""
PUBLIC = ("/login", "/favicon.ico")
"""What a stranger may ask for, beside the assets."""
READING = ("GET", "HEAD")
log = logging.getLogger(__name__)


async def add_headers(request: web.Request, response: web.StreamResponse) -> None:
    """Add what browsers have to know to an answer that is about to be sent."""
    request[BEGUN] = True
    if "Transfer-Encoding" in request.headers:  # aiohttp would read trailers as headers of the next request
        response.force_close()
        response.headers["Connection"] = "close"
    response.headers.update(HEADERS)
    response.headers.setdefault("Cache-Control", "no-store")


@web.middleware
async def errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer every error in one line: as a page, or below /api/ as JSON."""
    try:
        return await handler(request)
    except web.HTTPException as error:
        if error.status < 400:
            raise
        headers = {name: value for name, value in error.headers.items() if name in ("Allow", "Retry-After")}
        line = error.text or error.reason
        if line == "404: Not Found":  # aiohttp's own, where no route is like the path
            line = "there is no such page"
        return await _error(request, error.status, line, headers)
    except Locked as locked:
        return await _error(request, 429, str(locked), {"Retry-After": str(locked.seconds)})
    except (StoreError, KeyFileError) as error:
        log.warning("a page cannot be shown: %s", error)
        return await _error(request, 503, str(error), {"Retry-After": "5"})
    except TimeoutError:
        return await _error(request, 503, f"this took longer than {REQUEST_SECONDS:.0f} s", {"Retry-After": "5"})
    except ConnectionError:
        raise
    except Exception:
        log.exception("a bug answered 500 to a %s", request.method)
        return await _error(request, 500, "internal error; the log of the console says more", {})


async def _error(request: web.Request, status: int, line: str, headers: dict[str, str]) -> web.Response:
    if BEGUN in request:
        raise ConnectionResetError  # ends the connection, so that the client does not take half an answer for a whole
    line = printable(" ".join(line.split()))
    if request.path.startswith("/api/"):
        answer = json_answer({"error": line}, status=status)
    elif SESSION in request:
        again = request.path if request.method == "GET" and status == 400 else None
        facts = {"title": f"Error {status}", "line": line, "again": again}
        answer = await render(request, "error.html", facts, status=status)
    else:  # a stranger gets no page
        answer = web.Response(text=f"{line}\n", status=status)
    answer.headers.update(headers)
    if status == 401:
        answer.headers["WWW-Authenticate"] = "Bearer"
    return answer


def known_host(hosts: Callable[[], frozenset[str]]) -> Middleware:
    """Return what refuses requests for other hosts: a stranger's name may be made to point here (DNS rebinding)."""

    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        if not addresses.is_allowed(request, hosts()):
            raise web.HTTPMisdirectedRequest(text="unknown host name; server.console_hosts lists further ones")
        return await handler(request)

    return check


@web.middleware
async def admission(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Let in who is logged in, or below /api/ who shows the admin token; changes only from pages of the console."""
    access = console_of(request).access
    session = access.session(request.cookies.get(COOKIE))
    if session is not None:
        request[SESSION] = session
    is_api = request.path.startswith("/api/")
    is_public = request.path in PUBLIC or request.path.startswith("/assets/")
    scheme, _, token = request.headers.get("Authorization", "").strip().partition(" ")
    if is_api and scheme.lower() == "bearer":
        if not access.check_token(token.strip()):
            raise web.HTTPUnauthorized(text="this is not the admin token")
        request.pop(SESSION, None)
    else:
        if session is None and not is_public:
            if is_api:
                raise web.HTTPUnauthorized(text="send the admin token as Authorization: Bearer ..., or log in")
            return _to_login(request)
        if request.method not in READING:
            await _check_change(request)
    if request.method not in READING:
        await _take_body(request)
    if not is_streaming(request.match_info.handler):
        return await handler(request)
    with access.streaming(request.get(SESSION)):
        return await handler(request)


async def _check_change(request: web.Request) -> None:
    if not addresses.is_own(request):
        raise web.HTTPForbidden(text="this change was asked for by another site")
    if request.path.startswith("/api/"):
        given = request.headers.get("X-CSRF-Token", "")
    elif request.content_type != FORM:
        raise web.HTTPUnsupportedMediaType(text=f"send a form, as {FORM}")
    else:
        await _take_body(request)
        try:
            given = str((await request.post()).get("csrf", ""))
        except (LookupError, ValueError):
            raise web.HTTPBadRequest(text="the form cannot be read") from None
    session = request.get(SESSION)
    if session is None or request.path == "/login":  # a login brings a secret of its own
        return
    if not same(given, session.csrf):
        raise web.HTTPForbidden(text="this form is too old; go back, load the page again, and repeat the change")


async def _take_body(request: web.Request) -> None:
    try:
        async with asyncio.timeout(BODY_SECONDS):
            await request.read()
    except RuntimeError:  # as aiohttp has it where the connection was closed before the body was asked for
        raise ConnectionResetError from None


def _to_login(request: web.Request) -> web.Response:
    after = "" if request.path == "/" or request.method not in READING else f"?next={quote(request.path_qs, safe='')}"
    return web.Response(status=303, headers={"Location": f"/login{after}"})


def bounded() -> Middleware:
    """Return what bounds how many requests read the store at once, and for how long."""
    places = asyncio.Semaphore(READERS)

    @web.middleware
    async def take_place(request: web.Request, handler: Handler) -> web.StreamResponse:
        if is_streaming(request.match_info.handler) or request.path.startswith("/assets/"):
            return await handler(request)
        try:
            async with asyncio.timeout(PLACE_SECONDS):
                await places.acquire()
        except TimeoutError:
            raise web.HTTPServiceUnavailable(
                text="too many pages are being read at once", headers={"Retry-After": "2"}
            ) from None
        try:
            async with asyncio.timeout(REQUEST_SECONDS):
                return await handler(request)
        finally:
            places.release()

    return take_place


def is_local_path(text: str) -> bool:
    """Return whether a text is a path on this console, and nothing that a browser takes for another site."""
    return text.startswith("/") and not text.startswith("//") and "\\" not in text and text == printable(text)
