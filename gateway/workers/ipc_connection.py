"""One connection between two processes of a gateway, at either end: frames in, frames out, Hello first. No entries."""

import asyncio
from typing import Any, Generic, Protocol, TypeVar, cast

from gateway.malloc_trim import IdleTrimmer
from gateway.workers.ipc_codec import FrameError, FrameReader, Hello, Message, encode

M = TypeVar("M", bound=Message)


class Peer(Protocol[M]):
    """Who a connection belongs to. `on_hello` and `on_message` may raise FrameError."""

    def on_connect(self, connection: "Connection[M]") -> None:
        """Take note of a new connection."""
        ...

    def on_hello(self, connection: "Connection[M]", fingerprint: str) -> None:
        """Compare the other side's fingerprint: its first message."""
        ...

    def on_message(self, connection: "Connection[M]", message: M) -> None:
        """Handle any later message."""
        ...

    def on_broken(self, connection: "Connection[M]", error: FrameError) -> None:
        """Decide what becomes of a connection on which something else came."""
        ...

    def on_disconnect(self, connection: "Connection[M]") -> None:
        """Forget the connection."""
        ...


class Connection(asyncio.Protocol, Generic[M]):
    """A connection of `peer`, to which messages of a `kind` come (FromClient or FromServer).

    Reading never pauses by itself: clients bound what they have in flight, and so does the store.
    """

    def __init__(self, peer: Peer[M], kind: Any, trimmer: IdleTrimmer | None = None) -> None:
        self._peer = peer
        self._frames: FrameReader[M] = FrameReader(kind)
        self._trimmer = trimmer
        self._greeted = False
        self._muted = False
        self._out: list[bytes] = []
        self._transport: asyncio.Transport | None = None
        self.gone = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See asyncio."""
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is one without saying so
        self._peer.on_connect(self)

    def data_received(self, data: bytes) -> None:
        """See asyncio."""
        if self._trimmer is not None:
            self._trimmer.bytes_received += len(data)
        if self._muted:
            return
        try:
            for message in self._frames.feed(data):
                if self._greeted:
                    self._peer.on_message(self, message)
                elif isinstance(message, Hello):
                    self._greeted = True
                    self._peer.on_hello(self, message.fingerprint)
                else:
                    raise FrameError("the first message is not Hello")
        except FrameError as error:
            self._peer.on_broken(self, error)

    def connection_lost(self, _error: Exception | None) -> None:
        """See asyncio."""
        self._transport = None
        self._peer.on_disconnect(self)
        self.gone.set()

    def send(self, message: Message) -> None:
        """Send a message. Raises ValueError on one that cannot be sent."""
        self.send_frame(encode(message))

    def send_frame(self, frame: bytes) -> None:
        """Send a frame along with the others of this turn of the loop, in one write: a commit answers many at once."""
        if not self._out:
            asyncio.get_running_loop().call_soon(self._flush)
        self._out.append(frame)

    def mute(self) -> None:
        """Ignore all that comes from now on, and let the connection stand."""
        self._muted = True

    def pause_reading(self) -> None:
        """Read no more; what is in flight is still answered."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.pause_reading()

    def close(self) -> None:
        """Send what waits, then disconnect."""
        self._flush()
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        """Disconnect at once."""
        if self._transport is not None:
            self._transport.abort()

    def _flush(self) -> None:
        out, self._out = self._out, []
        if self._transport is not None and out:
            self._transport.write(b"".join(out))
