"""The old name of `gateway.dialect.message`, kept for dialects written before 0.2."""

from gateway.dialect.message import *  # noqa: F403
