"""What `gateway storage info` tells of a store, whatever its engine: values only."""

from collections.abc import Mapping, Sequence

import attrs


@attrs.frozen(kw_only=True)
class RunningGateway:
    """A gateway that runs on the store; `seen` is its last sign of life, in milliseconds since the epoch.

    Of a data directory only the process is known: then `seen` is None.
    """

    host: str
    version: str
    seen: int | None = None


@attrs.frozen(kw_only=True)
class DiskUse:
    """What a store takes of its disk, and what is left there, in bytes.

    `free` is None where the disk is not this machine's. Without `is_whole` not all files were looked at: there are too
    many, and the store takes more than `bytes`. `parts` are sizes by what they are of, together `bytes`: always the
    same words for one engine, of which both have `log`.
    """

    bytes: int
    free: int | None = None
    is_whole: bool = True
    parts: Mapping[str, int] = attrs.field(factory=dict)


@attrs.frozen(kw_only=True)
class StoreInfo:
    """What an engine knows of its store. Sizes are in bytes.

    `parts` are the sizes of its files, or of its tables with all their partitions; `partitions` counts those of events.
    `free` is how much of `bytes` is free for new events; None where that is not known.
    `lag` is for how many seconds readers have been waiting for the transaction that `held_by` names; None without one.
    """

    engine: str
    schema: int
    bytes: int
    parts: Mapping[str, int]
    running: Sequence[RunningGateway] = ()
    partitions: int | None = None
    free: int | None = None
    lag: float | None = None
    held_by: str | None = None
