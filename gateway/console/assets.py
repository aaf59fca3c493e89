"""The console's own files for browsers, from the package: each in memory once, and named with a digest of it."""

import hashlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import attrs
from aiohttp import web

FOLDER = Path(__file__).parent / "assets"
TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".png": "image/png"}
FOREVER = "private, max-age=31536000, immutable"


@attrs.frozen
class Asset:
    """One file: what it holds, and a digest of that."""

    content: bytes = attrs.field(repr=False)
    content_type: str
    digest: str


@cache
def assets() -> Mapping[str, Asset]:
    """Return all files below `assets/`, by their path there. No other path can be asked for."""
    return {
        path.relative_to(FOLDER).as_posix(): _read(path)
        for path in sorted(FOLDER.rglob("*"))
        if path.is_file() and path.suffix in TYPES
    }


def asset_url(name: str) -> str:
    """Return where a browser gets a file: `/assets/console.css?v=0123456789abcdef`. Raises KeyError."""
    return f"/assets/{name}?v={assets()[name].digest}"


async def answer(request: web.Request) -> web.Response:
    """Answer a request for a file. One that names today's digest may be kept for ever, any other has to ask again."""
    return await _answer(request, request.match_info["name"])


async def _answer(request: web.Request, name: str) -> web.Response:
    asset = assets().get(name)
    if asset is None:
        raise web.HTTPNotFound(text="no such file")
    etag = f'"{asset.digest}"'
    headers = {"ETag": etag, "Cache-Control": FOREVER if request.query.get("v") == asset.digest else "no-cache"}
    if request.headers.get("If-None-Match") == etag:
        return web.Response(status=304, headers=headers)
    return web.Response(body=asset.content, content_type=asset.content_type, charset=_charset(asset), headers=headers)


async def icon(request: web.Request) -> web.Response:
    """Answer what browsers ask for by themselves beside a page that names no icon, such as JSON."""
    return await _answer(request, "icon.svg")


def _charset(asset: Asset) -> str | None:
    return None if asset.content_type == "image/png" else "utf-8"


def _read(path: Path) -> Asset:
    content = path.read_bytes()
    return Asset(content, TYPES[path.suffix], hashlib.sha256(content).hexdigest()[:16])


ROUTES = [web.get("/assets/{name:.+}", answer), web.get("/favicon.ico", icon)]
