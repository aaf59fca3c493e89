"""The console as an aiohttp application: its pages, what every request passes, how it follows the admin token."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import aiohttp_jinja2
import jinja2
from aiohttp import web

from gateway.clock import now
from gateway.config import Config
from gateway.console import assets, security
from gateway.console.api_document import document
from gateway.console.context import CONSOLE, Console
from gateway.console.filters import FILTERS
from gateway.console.page import json_answer
from gateway.console.pages import events, export, keys, live, login, openapi, overview, quarantine, rejected, start
from gateway.console.sessions import Access
from gateway.keys.admin import Admin
from gateway.keys.keyring import Keyring
from gateway.storage.store import Store

PAGES = (login, start, overview, live, events, export, quarantine, rejected, keys, openapi)
"""Each has ROUTES, and OPERATIONS: the OpenAPI path items of its paths below /api/."""
TEMPLATES = Path(__file__).parent / "templates"


async def open_console(config: Config, store: Store, url: str, clock: Callable[[], int] = now) -> Console:
    """Return a console of a store. `url` is where ingestion answers. Raises StoreError, KeyFileError."""
    async with store.keys(make=True) as keyring:
        admin = await keyring.admin()
    return Console(config=config, store=store, url=url, access=Access(admin, clock), clock=clock)


def application(console: Console) -> web.Application:
    """Return the console's application. While it runs, it follows the admin token: a new one ends all sessions."""
    app = web.Application(
        middlewares=[
            security.errors,
            security.known_host(lambda: console.hosts),
            security.admission,
            security.bounded(),
        ],
        client_max_size=security.MAX_BODY,
    )
    app[CONSOLE] = console
    environment = aiohttp_jinja2.setup(
        app,
        loader=jinja2.FileSystemLoader(TEMPLATES),
        filters=FILTERS,
        default_helpers=False,
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        auto_reload=False,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["asset"] = assets.asset_url
    app.add_routes(assets.ROUTES)
    for page in PAGES:
        app.add_routes(page.ROUTES)
    app.add_routes([web.get("/api/openapi.json", _document)])
    app.on_response_prepare.append(security.add_headers)
    app.cleanup_ctx.append(_following)
    app.on_shutdown.append(_end_streams)
    return app


async def _document(_request: web.Request) -> web.Response:
    return json_answer(document(PAGES))


async def _end_streams(app: web.Application) -> None:
    app[CONSOLE].access.end_streams()


async def _following(app: web.Application) -> AsyncIterator[None]:
    console = app[CONSOLE]

    def renew(_keyring: Keyring, admin: Admin) -> None:
        console.access.renew(admin)

    task = asyncio.create_task(console.store.watch_keys(renew))
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
