"""A primary and a synchronous standby, of which the one takes the other's place, again and again. No load here."""

import contextlib
from collections.abc import Iterator

import attrs

from gateway.testing.postgres.installation import Installation
from tests.faults.postgres.sites import Site
from tests.faults.postgres.strikes import Strikes
from tests.kit.postgres.cluster import PASSWORD, Cluster


@attrs.define
class Pair:
    """Two servers. `lost` is a former primary, once the standby has taken its place."""

    primary: Cluster
    standby: Cluster
    lost: Cluster | None = None
    _stack: contextlib.ExitStack = attrs.field(factory=contextlib.ExitStack)

    def url(self, database: str) -> str:
        """Return a URL with both as they are now, the primary first; the ports stay the same for good."""
        hosts = ",".join(f"127.0.0.1:{each.port}" for each in (self.primary, self.standby))
        return f"postgresql://gateway:{PASSWORD}@{hosts}/{database}?sslmode=disable"

    def fail_over(self) -> None:
        """Kill the primary, and have the standby take its place."""
        self.primary.kill()
        self.promote()

    def promote(self) -> None:
        """Have the standby take the primary's place, which is expected to be gone, or to hang."""
        self.standby.promote()
        self.lost, self.primary = self.primary, self.standby

    def rebuild(self) -> None:
        """Make a new standby in the place of the lost primary, if there is one."""
        if self.lost is None:
            return
        self.lost.close()
        self.standby = self._stack.enter_context(self.primary.standby(port=self.lost.port))
        self.lost = None


@contextlib.contextmanager
def paired(installation: Installation) -> Iterator[Pair]:
    """Start a primary, and a synchronous standby of it."""
    with contextlib.ExitStack() as stack:
        primary = stack.enter_context(Cluster.started(installation, fsync=True))
        yield Pair(primary, stack.enter_context(primary.standby()), stack=stack)


def failovers(pair: Pair, shop: Site, cycles: int) -> Strikes:
    """Fail over from the one to the other; the lost one is made the standby before the next time."""

    def strike() -> None:
        pair.fail_over()
        shop.cluster = pair.primary

    shop.between = pair.rebuild
    return [strike] * cycles
