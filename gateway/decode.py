"""The old name of `gateway.dialect.decode`, kept for dialects written before 0.2."""

from gateway.dialect.decode import *  # noqa: F403
