"""Runs a coroutine at once, as far as it comes by itself. For coroutines that wait for nothing but futures."""

import asyncio
from collections.abc import Callable, Coroutine
from functools import partial
from typing import TypeVar

T = TypeVar("T")


def run_eagerly(coroutine: Coroutine["asyncio.Future[object]", None, T], done: Callable[[T], None]) -> T | None:
    """Return what the coroutine returns, or None where it has to wait: then `done` is given it later.

    A task would begin in the next turn of the loop and costs each request as much as its whole translation. What is
    run here has no task, so that it cannot be cancelled and may not use what needs one (`asyncio.timeout`, say), and
    it must not raise: there is nobody to tell.
    """
    try:
        future = coroutine.send(None)
    except StopIteration as stop:
        returned: T = stop.value
        return returned
    future.add_done_callback(partial(_resume, coroutine, done))
    return None


def _resume(
    coroutine: Coroutine["asyncio.Future[object]", None, T], done: Callable[[T], None], _future: object
) -> None:
    returned = run_eagerly(coroutine, done)
    if returned is not None:
        done(returned)
