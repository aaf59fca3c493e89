"""What a suite consists of: a Check, and the Failure that it raises. Values only."""

import enum
from collections.abc import Callable
from typing import NoReturn

import attrs


class Cost(enum.Enum):
    """What a check takes, so that a run can put the slow ones first, or leave them for later."""

    PURE = "pure"  # milliseconds, in this process, without a file or a socket
    GENERATED = "generated"  # the same, with hundreds of generated inputs
    SERVER = "server"  # files and sockets of this process
    DATABASE = "database"  # a database of a PostgreSQL server
    PROCESS = "process"  # starts `gateway serve`, and kills it


class Failure(AssertionError):
    """A promise that what is tested does not keep. Its text says what was wrong, where, and what to do."""

    def __init__(self, wrong: str, remedy: str) -> None:
        super().__init__(f"{wrong}\n  To do: {remedy}")
        self.wrong = wrong
        self.remedy = remedy

    @property
    def line(self) -> str:
        """Return it in one line, for where no more is printed."""
        return " ".join(f"{self.wrong}. To do: {self.remedy}".split())


def fail(wrong: str, remedy: str) -> NoReturn:
    """Raise a Failure. `wrong` names what was sent and what came of it, `remedy` what the author has to change."""
    raise Failure(wrong, remedy)


def require(holds: object, wrong: str, remedy: str) -> None:
    """Raise a Failure unless something holds."""
    if not holds:
        fail(wrong, remedy)


@attrs.frozen
class Check:
    """One promise, and how it is tried. `name` is a path of words: `bodies/half an emoji`; no two of a suite are alike.

    `run` returns when the promise is kept. It raises Failure when it is not; another exception is a bug, of what is
    tested or of the kit.
    """

    name: str
    run: Callable[[], None] = attrs.field(repr=False)
    cost: Cost = Cost.PURE

    def __str__(self) -> str:
        return self.name
