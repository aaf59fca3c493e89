"""Environment variables to a document like the file's. The variables are an argument; load.py reads them."""

from collections.abc import Callable, Mapping
from difflib import get_close_matches
from typing import Any

from gateway.config.errors import ConfigError
from gateway.config.structure import structure

PREFIX = "GATEWAY_"


def _split(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


VARIABLES: Mapping[str, tuple[str, str, Callable[[str], Any]]] = {
    "HOST": ("server", "host", str),
    "PORT": ("server", "port", int),
    "WORKERS": ("server", "workers", int),
    "BODY_TIMEOUT": ("server", "body_timeout", float),
    "IDLE_TIMEOUT": ("server", "idle_timeout", float),
    "UNFINISHED_MEGABYTES": ("server", "unfinished_megabytes", float),
    "TRUSTED_PROXIES": ("server", "trusted_proxies", _split),
    "LOG_LEVEL": ("server", "log_level", str),
    "QUEUE_MEGABYTES": ("storage", "queue_megabytes", float),
    "DEDUPE_DAYS": ("storage", "dedupe_days", float),
    "KEEP_EVENTS_DAYS": ("storage", "keep_events_days", float),
    "KEEP_RAW_DAYS": ("storage", "keep_raw_days", float),
    "REJECTED_MEGABYTES": ("storage", "rejected_megabytes", float),
    "REJECTED_DAYS": ("storage", "rejected_days", float),
}
"""Environment variables without their prefix: table, key and parser. GATEWAY_DATA and GATEWAY_CONFIG are apart."""

OLD_VARIABLES = {"REFUSED_MEGABYTES": "REJECTED_MEGABYTES", "REFUSED_DAYS": "REJECTED_DAYS"}
"""Names from before 0.2. They still work."""


def from_environment(environment: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """Return the environment's settings as a document. Each variable is tried alone, so that an error can name it.

    Ignores Kubernetes service-link variables (`GATEWAY_PORT=tcp://...`), and unknown variables that do not resemble a
    known one. Raises ConfigError.
    """
    document: dict[str, dict[str, Any]] = {}
    known = {*VARIABLES, "DATA", "CONFIG"}
    for variable, text in environment.items():
        name = variable.removeprefix(PREFIX)
        name = OLD_VARIABLES.get(name, name)
        if not variable.startswith(PREFIX) or text.startswith(("tcp://", "udp://")):
            continue
        if name not in VARIABLES:
            if name not in known and (near := get_close_matches(name, known, 1, 0.75)):
                raise ConfigError(f"environment: {variable}: unknown variable; did you mean {PREFIX}{near[0]}?")
            continue
        table, key, parse = VARIABLES[name]
        try:
            value = parse(text)
        except ValueError:
            kind = "an integer" if parse is int else "a number"
            raise ConfigError(f"environment: {variable}: must be {kind}, not {text!r}") from None
        for wrong in structure({table: {key: value}})[1]:
            raise ConfigError(f"environment: {variable}: {wrong.problem}")
        document.setdefault(table, {})[key] = value
    return document
