"""The API for holders of the admin token: receipts. Requires `Authorization: Bearer <admin token>`; otherwise 401."""

import json
import sqlite3
from collections.abc import Mapping

from gateway.datadir import DataDir, DataDirError
from gateway.dialect.message import Response
from gateway.keys.tables import Admin
from gateway.operate.receipts import receipt
from gateway.storage.sqlite.read.reader import Reader

RECEIPTS = "/-/receipts/"
TEXT = "text/plain; charset=utf-8"
NO_TOKEN = Response(
    401,
    b"unauthorized: send the admin token as Authorization: Bearer ...; `gateway admin-token` makes a new one\n",
    TEXT,
    {"WWW-Authenticate": "Bearer"},
)
UNKNOWN = Response(404, b"not found: no receipt has this id\n", TEXT)
UNREADABLE = Response(503, b"the log cannot be read now\n", TEXT, {"Retry-After": "1"})


class AdminApi:
    """Answers admin requests about one data directory. Call `renew` when the token changes."""

    def __init__(self, directory: DataDir, admin: Admin) -> None:
        self.directory = directory
        self._admin = admin

    def renew(self, admin: Admin) -> None:
        """Accept only this token from now on."""
        self._admin = admin

    def answer(self, path: str, headers: Mapping[str, str]) -> Response | None:
        """Return the answer to a GET; None if the path is not one of this API. `headers` have lower-case names."""
        if not path.startswith(RECEIPTS):
            return None
        if not self._is_admin(headers.get("authorization", "")):
            return NO_TOKEN
        try:
            with Reader(self.directory) as reader:
                found = receipt(reader, path.removeprefix(RECEIPTS))
        except (DataDirError, sqlite3.Error):
            return UNREADABLE
        return UNKNOWN if found is None else Response(200, json.dumps(found).encode())

    def _is_admin(self, authorization: str) -> bool:
        scheme, _, token = authorization.strip().partition(" ")
        return scheme.lower() == "bearer" and self._admin.verify(token.strip())
