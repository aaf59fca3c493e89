"""Logging in, by the admin token or a one-time link, and out; and where one comes to first."""

from collections.abc import Mapping

from aiohttp import web

from gateway.console.addresses import is_https
from gateway.console.page import SESSION, console_of, form_of, render, text_param
from gateway.console.security import COOKIE, is_local_path
from gateway.console.sessions import SESSION_MS, Locked
from gateway.store_error import StoreError

OPERATIONS: Mapping[str, object] = {}


async def form(request: web.Request) -> web.Response:
    """Show the form. A link is only shown here, not used: programs that preview links fetch them too."""
    if SESSION in request:
        return _go("/")
    link = text_param(request, "link") or ""
    return await _shown(request, 200, "", link if console_of(request).access.is_link(link) else "", bool(link))


async def log_in(request: web.Request) -> web.Response:
    """Take the token, or use the link up; then go to the page that was asked for."""
    access = console_of(request).access
    fields = await form_of(request)
    link, token = fields.get("link", ""), fields.get("token", "").strip()
    if link:
        if not access.use_link(link):
            return await _shown(request, 403, "", "", True)
    else:
        try:
            good = access.check_token(token)
        except Locked as locked:
            answer = await _shown(request, 429, f"Too many wrong tokens. Try again in {locked.seconds} seconds.")
            answer.headers["Retry-After"] = str(locked.seconds)
            return answer
        if not good:
            return await _shown(request, 403, "This is not the admin token.")
    cookie, _session = access.log_in()
    answer = _go(fields.get("next", ""))
    answer.set_cookie(
        COOKIE,
        cookie,
        max_age=SESSION_MS // 1000,
        path="/",
        httponly=True,
        samesite="Strict",
        secure=is_https(request, console_of(request).config.server.trusted_proxies),
    )
    return answer


async def log_out(request: web.Request) -> web.Response:
    """End the session."""
    console_of(request).access.log_out(request.cookies.get(COOKIE))
    answer = _go("/login")
    answer.del_cookie(COOKIE, path="/", httponly=True, samesite="Strict")
    return answer


async def first(request: web.Request) -> web.Response:
    """Go to the overview, or to the first steps while nothing is stored."""
    try:
        async with console_of(request).store.log() as reader:
            page = await reader.page_back()
    except StoreError:
        return _go("/start")
    return _go("/overview" if page.positions or page.more else "/start")


async def _shown(
    request: web.Request, status: int, problem: str, link: str = "", is_by_link: bool = False
) -> web.Response:
    after = text_param(request, "next") or ""
    facts = {"problem": problem, "link": link, "is_by_link": is_by_link, "next": after if is_local_path(after) else ""}
    return await render(request, "login.html", facts, status=status)


def _go(location: str) -> web.Response:
    return web.Response(status=303, headers={"Location": location if is_local_path(location) else "/"})


ROUTES = [
    web.get("/", first),
    web.get("/login", form),
    web.post("/login", log_in),
    web.post("/logout", log_out),
]
