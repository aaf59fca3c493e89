"""Databases on a server that runs already, by its URL: made for a check, and dropped after it."""

import asyncio
import contextlib
import secrets
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import attrs

PATIENCE = 30  # seconds


@attrs.frozen
class RemoteServer:
    """`url` names any database of the server, and a role that may create others."""

    url: str = attrs.field(repr=False)

    @contextlib.contextmanager
    def lent(self) -> Iterator[str]:
        """Make an empty database, and yield its URL; drop it afterwards, whoever is connected to it."""
        name = f"gateway_check_{secrets.token_hex(6)}"
        self._run(f'CREATE DATABASE "{name}"')
        try:
            yield urlunsplit(urlsplit(self.url)._replace(path=f"/{name}"))
        finally:
            self._run(f'DROP DATABASE "{name}" WITH (FORCE)')

    def _run(self, statement: str) -> None:
        async def run() -> None:
            connection = await asyncpg.connect(self.url, timeout=PATIENCE)
            try:
                await connection.execute(statement, timeout=PATIENCE)
            finally:
                await connection.close(timeout=PATIENCE)

        with ThreadPoolExecutor(1) as thread:  # whoever asks may be in a coroutine, which has a loop already
            thread.submit(asyncio.run, run()).result()
