"""Tells systemd how the service is: the protocol of sd_notify(3), a datagram of lines `NAME=value` to a Unix socket."""

import contextlib
import socket
import time

import attrs


@attrs.frozen
class Notifier:
    """Tells whoever listens at `address`: a path, or `@name` of an abstract socket. None for nobody.

    What cannot be told is not told: serving goes on.
    """

    address: str | None

    def ready(self) -> None:
        """Tell that the service serves: after its start, and after each reload."""
        self._tell("READY=1")

    def reloading(self) -> None:
        """Tell that a reload begins; `ready` tells its end."""
        self._tell(f"RELOADING=1\nMONOTONIC_USEC={time.monotonic_ns() // 1000}")

    def stopping(self) -> None:
        """Tell that the service ends."""
        self._tell("STOPPING=1")

    def _tell(self, state: str) -> None:
        if self.address is None or self.address[0] not in "/@":
            return
        address = f"\0{self.address[1:]}" if self.address.startswith("@") else self.address
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.setblocking(False)
            sender.sendto(state.encode(), address)
