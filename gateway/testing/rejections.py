"""What a gateway rejects, in memory: each rejection as it is handed over, before it is written."""

from collections.abc import Callable, Sequence
from typing import Any

from gateway.records.rejected_request import PendingRejection
from gateway.storage.rejected_log import Counts, RejectedRequestLog


class Rejections(RejectedRequestLog):
    """Holds every rejection in `pending`, oldest first, and writes none."""

    def __init__(self) -> None:
        super().__init__(_Nowhere(), keep=False)
        self.pending: list[PendingRejection] = []

    def add(self, rejection: PendingRejection) -> None:
        """Hold a rejection."""
        self.pending.append(rejection)


class _Nowhere:
    """A RejectedWriter that writes nothing."""

    name = "memory"
    expected: tuple[type[Exception], ...] = ()

    async def write(self, rows: Callable[[], Sequence[dict[str, Any]]], counts: Counts) -> None:
        """See RejectedWriter."""

    def is_gone(self) -> bool:
        """See RejectedWriter."""
        return False

    async def close(self) -> None:
        """See RejectedWriter."""
