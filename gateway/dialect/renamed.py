"""Accepts the old keyword arguments of the contract's classes, for dialects written before 0.2."""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

Class = TypeVar("Class", bound=type)


def old_keywords(**names: str) -> Callable[[Class], Class]:
    """Return a decorator that accepts old names of fields: `old_keywords(owns="prefixes")`."""

    def decorate(cls: Class) -> Class:
        init: Callable[..., None] = cls.__init__  # type: ignore[misc]  # the class's own, which attrs has just made

        @wraps(init)
        def renaming(self: object, *positional: Any, **keywords: Any) -> None:
            old = {names[name]: value for name, value in keywords.items() if name in names}
            # attrs.evolve gives every field by its new name as well: what the caller gave, by the old one, wins.
            init(self, *positional, **{name: value for name, value in keywords.items() if name not in names} | old)

        cls.__init__ = renaming  # type: ignore[misc]  # as above
        return cls

    return decorate
