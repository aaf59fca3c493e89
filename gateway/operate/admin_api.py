"""The API for holders of the admin token: receipts. Requires `Authorization: Bearer <admin token>`; otherwise 401."""

import json
from collections.abc import Mapping

from gateway.dialect.message import Response
from gateway.keys.admin import Admin
from gateway.operate.receipts import receipt
from gateway.storage.store import Store
from gateway.store_error import StoreError

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
    """Answers admin requests about one store. Call `renew` when the token changes."""

    def __init__(self, store: Store, admin: Admin) -> None:
        self.store = store
        self._admin = admin

    def renew(self, admin: Admin) -> None:
        """Accept only this token from now on."""
        self._admin = admin

    async def answer(self, path: str, headers: Mapping[str, str]) -> Response | None:
        """Return the answer to a GET; None if the path is not one of this API. `headers` have lower-case names."""
        if not path.startswith(RECEIPTS):
            return None
        if not self._is_admin(headers.get("authorization", "")):
            return NO_TOKEN
        try:
            async with self.store.records() as records:
                found = await receipt(records, path.removeprefix(RECEIPTS))
        except StoreError:
            return UNREADABLE
        return UNKNOWN if found is None else Response(200, json.dumps(found).encode())

    def _is_admin(self, authorization: str) -> bool:
        scheme, _, token = authorization.strip().partition(" ")
        return scheme.lower() == "bearer" and self._admin.verify(token.strip())
