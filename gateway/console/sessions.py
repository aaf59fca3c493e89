"""Who is logged in: sessions, one-time links, and the limit of wrong tokens. All of it in memory. No HTTP here."""

import asyncio
import hashlib
import hmac
import secrets
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import attrs

from gateway.keys.admin import Admin

SESSION_MS = 12 * 3_600_000
MAX_SESSIONS = 64
"""Beyond it the oldest session ends."""
LINK_MS = 10 * 60_000
MAX_LINKS = 16
WRONG_TOKENS = 5
WRONG_MS = 60_000
MAX_NOTICES = 4
MAX_NOTICE = 500


@attrs.define(eq=False)
class Session:
    """One browser that is logged in. `csrf` is what each of its changes has to repeat. Times are in milliseconds."""

    csrf: str = attrs.field(repr=False)
    expires: int
    notices: deque[tuple[str, str]] = attrs.field(factory=lambda: deque(maxlen=MAX_NOTICES))
    """What the next page tells: `("good" | "bad", text)`."""

    def notice(self, text: str, kind: str = "good") -> None:
        """Have the next page show a line."""
        self.notices.append((kind, text[:MAX_NOTICE]))

    def take_notices(self) -> list[tuple[str, str]]:
        """Return what is to be shown, once."""
        taken = list(self.notices)
        self.notices.clear()
        return taken


class Locked(Exception):
    """Too many wrong tokens. `seconds` says when the next one is looked at."""

    def __init__(self, seconds: int) -> None:
        super().__init__(f"too many wrong tokens; try again in {seconds} s")
        self.seconds = seconds


class Access:
    """Decides who may in. `clock` gives milliseconds since the epoch; `admin` is what a token is checked against.

    Sessions and links are kept as digests, so that a dump of the memory of this process opens nothing.
    """

    def __init__(self, admin: Admin, clock: Callable[[], int]) -> None:
        self._admin = admin
        self._clock = clock
        self._sessions: dict[bytes, Session] = {}
        self._links: dict[bytes, int] = {}
        self._wrong: deque[int] = deque(maxlen=WRONG_TOKENS)
        self._streams: dict[asyncio.Task[None], Session | None] = {}

    def renew(self, admin: Admin) -> None:
        """Accept only this token from now on. Another token than before ends all sessions, and forgets wrong tries."""
        if admin == self._admin:
            return
        self._admin = admin
        self._sessions.clear()
        self._links.clear()
        self._wrong.clear()
        self.end_streams()

    def end_streams(self) -> None:
        """End all that is still being received."""
        for task in list(self._streams):
            task.cancel()

    def check_token(self, token: str) -> bool:
        """Return whether this is the admin token. Raises Locked after too many wrong ones, also for the right one.

        The count is one for all who try: a table by address would be filled by whoever has many. A try while it is
        locked does not count, so that the lock ends at most a minute after the last wrong token. No token at all is
        no try.
        """
        if not token:
            return False
        now = self._clock()
        while self._wrong and not now - WRONG_MS < self._wrong[0] <= now:  # a clock may be set back
            self._wrong.popleft()
        if len(self._wrong) >= WRONG_TOKENS:
            raise Locked(max(1, -(-(self._wrong[0] + WRONG_MS - now) // 1000)))
        if self._admin.verify(token):
            return True
        self._wrong.append(now)
        return False

    def make_link(self) -> str:
        """Return the secret of a new one-time link."""
        secret = secrets.token_urlsafe(24)
        while len(self._links) >= MAX_LINKS:
            self._links.pop(next(iter(self._links)))
        self._links[_digest(secret)] = self._clock() + LINK_MS
        return secret

    def is_link(self, secret: str) -> bool:
        """Return whether a link can be used, without using it."""
        return self._links.get(_digest(secret), 0) > self._clock()

    def use_link(self, secret: str) -> bool:
        """Use a link up; return whether it was good."""
        return self._links.pop(_digest(secret), 0) > self._clock()

    def log_in(self) -> tuple[str, Session]:
        """Begin a session; return the value of its cookie, and the session."""
        cookie = secrets.token_urlsafe(32)
        while len(self._sessions) >= MAX_SESSIONS:
            self._end(next(iter(self._sessions)))
        session = self._sessions[_digest(cookie)] = Session(secrets.token_urlsafe(24), self._clock() + SESSION_MS)
        return cookie, session

    def session(self, cookie: str | None) -> Session | None:
        """Return the session of a cookie, unless it has ended."""
        key = _digest(cookie or "")
        found = self._sessions.get(key)
        if found is not None and found.expires <= self._clock():
            self._end(key)
            return None
        return found

    def log_out(self, cookie: str | None) -> None:
        """End a session, and what it still receives."""
        self._end(_digest(cookie or ""))

    @contextmanager
    def streaming(self, session: Session | None) -> Iterator[None]:
        """Cancel the task that runs the block when its session ends, or the token with which it was asked for."""
        task = asyncio.current_task()
        assert task is not None
        self._streams[task] = session
        left = None if session is None else (session.expires - self._clock()) / 1000
        timer = None if left is None else asyncio.get_running_loop().call_later(left, task.cancel)
        try:
            yield
        finally:
            del self._streams[task]
            if timer is not None:
                timer.cancel()

    def _end(self, key: bytes) -> None:
        session = self._sessions.pop(key, None)
        for task, its in list(self._streams.items()):
            if session is not None and its is session:
                task.cancel()


def same(given: str, expected: str) -> bool:
    """Return whether two secrets are the same, in constant time."""
    return hmac.compare_digest(given.encode("utf-8", "replace"), expected.encode())


def _digest(secret: str) -> bytes:
    return hashlib.blake2b(secret.encode("utf-8", "replace"), digest_size=16).digest()
