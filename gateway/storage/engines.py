"""Finds the engine of a storage URL among the installed ones: the entry points of the group `gateway.storage`.

An entry point is named like the URL's scheme, and is a function from the whole URL to a Store, such as

    [options.entry_points]
    gateway.storage =
        sqlite = gateway.storage.sqlite.store:open_store
"""

import re
from importlib.metadata import entry_points

from gateway.storage.store import Store
from gateway.store_error import StoreError

GROUP = "gateway.storage"
SCHEME = re.compile("[a-z][a-z0-9+.-]{0,30}", re.ASCII)


def open_store(url: str) -> Store:
    """Return the store of a URL, such as `sqlite:data` or `postgresql://localhost/gateway`. Raises StoreError."""
    scheme, colon, _ = url.partition(":")
    scheme = scheme.lower()
    found = {each.name: each for each in entry_points(group=GROUP)}
    if not colon or scheme not in found:
        named = repr(scheme) if SCHEME.fullmatch(scheme) and colon else "without a scheme"  # the rest may be a secret
        known = ", ".join(f"{name}:" for name in sorted(found))
        raise StoreError(f"no storage engine for a URL {named}; a URL begins with one of {known}")
    try:
        opener = found[scheme].load()
    except ModuleNotFoundError as error:
        extra = "postgres" if error.name == "asyncpg" else error.name
        raise StoreError(
            f"storage {scheme} needs {error.name}, which is not installed: pip install '.[{extra}]'"
        ) from None
    store: Store = opener(url)
    return store
