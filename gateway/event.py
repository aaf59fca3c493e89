"""The old name of `gateway.dialect.event`, kept for dialects written before 0.2."""

from gateway.dialect.event import *  # noqa: F403
