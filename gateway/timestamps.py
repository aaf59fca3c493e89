"""The old name of `gateway.dialect.timestamps`, kept for dialects written before 0.2."""

from gateway.dialect.timestamps import *  # noqa: F403
