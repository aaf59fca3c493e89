"""A browser and a program, as far as the console's tests need them: in this process, without rendering anything."""

import re
from collections.abc import Mapping
from typing import Any

import attrs
from aiohttp.test_utils import TestClient
from aiohttp.web import Application, Request

Client = TestClient[Request, Application]
CSRF = re.compile(r'name="csrf" content="([^"]+)"')


@attrs.frozen
class Answer:
    """What the console answered. `location` is where it sends a browser."""

    status: int
    text: str
    headers: Mapping[str, str] = attrs.field(repr=False)

    @property
    def location(self) -> str | None:
        return self.headers.get("Location")


@attrs.define
class Browser:
    """A browser that keeps cookies, follows nothing by itself, and sends the CSRF token of the last page it got."""

    client: Client
    csrf: str = ""

    async def get(self, path: str, /, **headers: str) -> Answer:
        async with self.client.get(path, allow_redirects=False, headers=headers) as response:
            answer = Answer(response.status, await response.text(), response.headers)
        found = CSRF.search(answer.text)
        self.csrf = found[1] if found else self.csrf
        return answer

    async def page(self, path: str) -> str:
        """Return a page's HTML."""
        answer = await self.get(path)
        assert answer.status == 200, answer
        return answer.text

    async def post(self, path: str, fields: Mapping[str, str] | None = None, /, **headers: str) -> Answer:
        """Send a form, with the CSRF token unless it has one."""
        data = {"csrf": self.csrf, **(fields or {})}
        async with self.client.post(path, data=data, allow_redirects=False, headers=headers) as response:
            return Answer(response.status, await response.text(), response.headers)

    async def change(self, path: str, fields: Mapping[str, str] | None = None) -> str:
        """Send a form that is good; return the page that it leads to."""
        answer = await self.post(path, fields)
        assert (answer.status, answer.location is None) == (303, False), answer
        return await self.page(str(answer.location))


@attrs.frozen
class Api:
    """A program that has the admin token."""

    client: Client
    token: str = attrs.field(repr=False)

    async def send(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        """Return the status and the value of the JSON."""
        headers = {"Authorization": f"Bearer {self.token}"}
        async with self.client.request(method, path, json=body, headers=headers, allow_redirects=False) as response:
            return response.status, await response.json()

    async def get(self, path: str) -> Any:
        """Return the value of an answer that is good."""
        status, value = await self.send("GET", path)
        assert status == 200, (status, value)
        return value
