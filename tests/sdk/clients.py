"""Plain HTTP clients, for the vendors that publish none: each posts JSON and tells the status and the answer."""

import asyncio
import json
import subprocess
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from typing import Any

import aiohttp
import requests

from tests.sdk import programs

Answer = tuple[int, Any]
Headers = Mapping[str, str]
JSON = {"Content-Type": "application/json"}


def with_requests(url: str, body: object, headers: Headers) -> Answer:
    answer = requests.post(url, json=body, headers=dict(headers), timeout=programs.PATIENCE)
    return answer.status_code, answer.json() if answer.content else None


def with_aiohttp(url: str, body: object, headers: Headers) -> Answer:
    async def post() -> Answer:
        async with aiohttp.ClientSession() as session, session.post(url, json=body, headers=headers) as answer:
            text = await answer.text()
            return answer.status, json.loads(text) if text else None

    return asyncio.run(post())


def with_urllib(url: str, body: object, headers: Headers) -> Answer:
    request = urllib.request.Request(url, json.dumps(body).encode(), {**JSON, **headers})
    try:
        with urllib.request.urlopen(request, timeout=programs.PATIENCE) as answer:
            return answer.status, _read(answer.read())
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code, _read(refused.read())


def with_curl(url: str, body: object, headers: Headers) -> Answer:
    """Post as the vendors' pages show it: `-d`, so without a Content-Type of its own it says form-urlencoded."""
    command = [programs.found("curl"), "-sS", "-w", "\n%{http_code}", "-X", "POST", url, "-d", json.dumps(body)]
    for name, value in headers.items():
        command += ["-H", f"{name}: {value}"]
    done = subprocess.run(command, capture_output=True, timeout=programs.PATIENCE, check=True)
    text, _, status = done.stdout.rpartition(b"\n")
    return int(status), _read(text)


def with_fetch(url: str, body: object, headers: Headers) -> Answer:
    told = programs.drive("fetch.mjs", {"url": url, "headers": headers, "body": body})
    return told["status"], told["body"]


def _read(text: bytes) -> Any:
    return json.loads(text) if text else None


CLIENTS: Mapping[str, Callable[[str, object, Headers], Answer]] = {
    "requests": with_requests,
    "aiohttp": with_aiohttp,
    "urllib": with_urllib,
    "curl": with_curl,
    "Node fetch": with_fetch,
}
