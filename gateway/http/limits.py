"""What one server process allows its clients together and each connection alone. Plain numbers; no IO."""

import attrs

MEBIBYTE = 1 << 20
MAX_IGNORED = 64 * 1024  # bytes of a body that nobody asked for, read so that the connection can be kept
CHUNK_OVERHEAD = 3  # a chunked body may take this many times its content on the wire: `3` CR LF `xxx` CR LF is 2.7
MAX_SLICE = 16 * 1024  # bytes of a chunked body that are parsed at once: 2,700 chunks of a byte take 2 ms
LINGER_SECONDS = 5.0  # how long a refused body is read and dropped, so that the answer arrives
FLOOD_SECONDS = 0.5  # how long a client has for the answer to a body that is not worth reading on


@attrs.frozen
class Timeouts:
    """In seconds. `body`: a body must be whole so long after its head. `idle`: a connection on which no request
    comes, or whose client takes no byte of its answer, is closed.
    """

    body: float = 30.0
    idle: float = 75.0


@attrs.define
class Budget:
    """How many bytes of unfinished requests a process holds at most, whoever sends them."""

    max_bytes: int = 256 * MEBIBYTE
    held: int = attrs.field(default=0, init=False)

    def take(self, size: int) -> bool:
        """Count bytes in, or return False where they would be too many."""
        if self.held + size > self.max_bytes:
            return False
        self.held += size
        return True

    def give_back(self, size: int) -> None:
        """Count bytes out."""
        self.held -= size
