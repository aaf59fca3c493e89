"""The documents of the installed dialects, and what is installed, for the tests of this folder."""

from collections.abc import Iterator
from typing import Any

from gateway.config import Config
from gateway.config.serving import install_enabled, router
from gateway.ingest.registry import discover
from gateway.operate.openapi.document import document

DIALECTS = discover()
NAMES = [dialect.name for dialect in DIALECTS]
URL = "https://collect.example"


def made(settings: Config) -> dict[str, dict[str, Any]]:
    """Return the documents of the dialects that a configuration serves, by name."""
    installed = install_enabled(settings, DIALECTS)
    found = {}
    for each in installed:
        hosts = [host for host, name in settings.hosts.items() if name == each.dialect.name]
        found[each.dialect.name] = document(each, router(settings, installed), URL, hosts)
    return found


DOCUMENTS = made(Config())
INSTALLED = {each.dialect.name: each for each in install_enabled(Config(), DIALECTS)}


def statuses(name: str) -> dict[str, str]:
    """Return the statuses that a document has for each method and path."""
    return {
        f"{method} {path}": " ".join(operation["responses"]) for method, path, operation in operations(DOCUMENTS[name])
    }


def operations(found: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield method, path and operation of a document."""
    for path, item in found["paths"].items():
        for method, operation in item.items():
            if method != "servers":
                yield method.upper(), path, operation
