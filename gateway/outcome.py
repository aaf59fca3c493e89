"""The old name of `gateway.dialect.outcome`, kept for dialects written before 0.2."""

from gateway.dialect.outcome import *  # noqa: F403
