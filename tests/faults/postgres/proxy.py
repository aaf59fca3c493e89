"""A proxy on loopback in front of a server, which breaks a connection off exactly at a COMMIT. No gateway here.

    with proxied(cluster.port) as proxy:
        proxy.strike(Moment.UNANSWERED)  # returns when a commit was hit

It reads just so much of the protocol: the application's name, and where a message begins. It speaks no TLS.
"""

import asyncio
import contextlib
import enum
import struct
import threading
from collections.abc import Iterator

import attrs

PATIENCE = 30  # seconds
APPLICATION = b"\0application_name\0gateway\0"
"""What the connection that commits groups says of itself."""
COMMIT = b"Q\0\0\0\x0bCOMMIT\0"


class Moment(enum.Enum):
    """What becomes of a COMMIT."""

    UNSENT = "before the server had it"
    UNREAD = "as soon as it was sent"
    UNANSWERED = "after the server had answered"
    HELD = "never: it is not passed on, and the connection stays open"
    SWALLOWED = "it is passed on, but nothing comes back, and the connection stays open"


@attrs.define(eq=False)
class Proxy:
    """A running proxy. `port` is where it listens, `server` the port that it leads to."""

    server: int
    port: int = 0
    hit: threading.Event = attrs.field(factory=threading.Event)
    _armed: Moment | None = None
    _held: set[asyncio.Event] = attrs.field(factory=set)
    _tasks: set[asyncio.Task[None]] = attrs.field(factory=set)

    def arm(self, moment: Moment) -> None:
        """Break off the next COMMIT; `hit` is set when it has happened."""
        self.hit.clear()
        self._armed = moment

    def strike(self, moment: Moment) -> None:
        """Break off the next COMMIT, and return when it has happened."""
        self.arm(moment)
        assert self.hit.wait(PATIENCE), "nobody commits"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Pass one connection on, both ways, until either side ends it."""
        task = asyncio.current_task()
        assert task is not None, "it is one"
        self._tasks.add(task)
        ends = [writer]
        try:
            with contextlib.suppress(OSError):
                answers, upstream = await asyncio.open_connection("127.0.0.1", self.server)
                ends.append(upstream)
                await self._pass(reader, writer, answers, upstream)
        finally:
            for end in ends:
                end.transport.abort()
            self._tasks.discard(task)

    async def _pass(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        answers: asyncio.StreamReader,
        upstream: asyncio.StreamWriter,
    ) -> None:
        is_silent = asyncio.Event()
        ways = [
            asyncio.create_task(self._pass_questions(reader, upstream, is_silent)),
            asyncio.create_task(self._pass_answers(answers, writer, is_silent)),
        ]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            if is_silent.is_set():
                self.hit.set()

    async def _pass_questions(
        self, reader: asyncio.StreamReader, upstream: asyncio.StreamWriter, is_silent: asyncio.Event
    ) -> None:
        head = await reader.readexactly(4)
        hello = head + await reader.readexactly(struct.unpack("!I", head)[0] - 4)
        upstream.write(hello)
        while True:
            head = await reader.readexactly(5)
            message = head + await reader.readexactly(struct.unpack("!I", head[1:])[0] - 4)
            moment, is_hit = self._armed, message == COMMIT and APPLICATION in hello
            if moment is None or not is_hit:
                upstream.write(message)
                await upstream.drain()
                continue
            self._armed = None
            is_silent.set()
            if moment not in (Moment.UNSENT, Moment.HELD):
                upstream.write(message)
                await upstream.drain()
            if moment in (Moment.HELD, Moment.SWALLOWED):
                self.hit.set()
                self._held.add(is_silent)
            if moment is not Moment.UNSENT and moment is not Moment.UNREAD:
                await reader.read()  # until the client gives up, or an answer ends both ways
            return

    async def _pass_answers(
        self, answers: asyncio.StreamReader, writer: asyncio.StreamWriter, is_silent: asyncio.Event
    ) -> None:
        while data := await answers.read(1 << 16):
            if is_silent in self._held:
                continue
            if is_silent.is_set():
                return
            writer.write(data)
            await writer.drain()

    async def end(self) -> None:
        """End all connections."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.sleep(0)  # what was aborted is closed in the next turn


@contextlib.contextmanager
def proxied(port: int) -> Iterator[Proxy]:
    """Run a proxy in front of a server's port, in a thread of its own."""
    loop, proxy = asyncio.new_event_loop(), Proxy(port)
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        listening = asyncio.start_server(proxy.serve, "127.0.0.1", 0)
        server = asyncio.run_coroutine_threadsafe(listening, loop).result(PATIENCE)
        proxy.port = server.sockets[0].getsockname()[1]
        yield proxy
        loop.call_soon_threadsafe(server.close)
    finally:
        asyncio.run_coroutine_threadsafe(proxy.end(), loop).result(PATIENCE)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(PATIENCE)
        loop.close()
