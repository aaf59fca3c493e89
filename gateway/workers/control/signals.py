"""What signals ask of a process: to stop, to stop without waiting, to reload; and those that are to do no harm."""

import asyncio
import logging
import signal
import time
from collections.abc import Callable, Iterable
from functools import partial
from typing import Self

import attrs

HARMLESS = (signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2)
"""Signals that end a process which says nothing of them."""
TERMINALS = (signal.SIGTERM, signal.SIGINT)
log = logging.getLogger("gateway")


def ignore_harmless() -> None:
    """Ignore HARMLESS from now on: called first of all, before anything is loaded that takes time."""
    for number in HARMLESS:
        signal.signal(number, signal.SIG_IGN)


def ignore_to_the_end() -> None:
    """Ignore all signals that are named here, in a process whose event loop ends: without it they end the process."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {*HARMLESS, *TERMINALS})


def _nothing() -> None:
    pass


@attrs.define(eq=False)
class Signals:
    """What this process was asked so far. `hurry` is a second request to stop: wait for nothing that can be left out.

    `on_stop` is called once, with the first one. `name` is that signal's, `stopped_at` its time (monotonic, seconds).
    """

    on_stop: Callable[[], None] = _nothing
    stop: asyncio.Event = attrs.field(factory=asyncio.Event)
    hurry: asyncio.Event = attrs.field(factory=asyncio.Event)
    reload: asyncio.Event = attrs.field(factory=asyncio.Event)
    name: str = ""
    stopped_at: float = 0.0

    @classmethod
    def of_child(cls) -> Self:
        """Take SIGTERM, the parent's word, from now on."""
        return cls()._taking((signal.SIGTERM,))

    @classmethod
    def of_main(cls, on_stop: Callable[[], None] = _nothing) -> Self:
        """Take SIGTERM, SIGINT (Ctrl-C) and SIGHUP from now on, and log what is asked."""

        def stopping() -> None:
            log.info("stopping on %s", signals.name)
            on_stop()

        signals = cls(stopping)._taking(TERMINALS)
        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, signals.reload.set)
        return signals

    def _taking(self, numbers: Iterable[signal.Signals]) -> Self:
        for number in numbers:
            asyncio.get_running_loop().add_signal_handler(number, partial(self._asked, number))
        return self

    def _asked(self, number: signal.Signals) -> None:
        if self.stop.is_set():
            self.hurry.set()
            return
        self.name, self.stopped_at = number.name, time.monotonic()
        self.stop.set()
        self.on_stop()
