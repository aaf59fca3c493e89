"""The decorator of value classes on the path of an event."""

from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    from attrs import frozen as value_class
else:

    def value_class(cls=None, **options):
        """Make an attrs class with slots that is frozen for the type checker only.

        Freezing at run time makes construction two to three times as expensive, together a fifth of a request's CPU.
        """
        return attrs.define(cls, unsafe_hash=True, **options)


__all__ = ["value_class"]
