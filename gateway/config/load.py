"""What the operator may set: the file, the environment and the command line. The only reader of os.environ."""

import os
import tomllib
from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import attrs

from gateway.config.settings import File, SettingError, current_names, did_you_mean, structure
from gateway.dialect import Dialect
from gateway.http.client_address import Network
from gateway.ingest.address_policy import IpPolicy, apply, strictest
from gateway.ingest.rate_limit import Limit

PREFIX = "GATEWAY_"
DATA = Path("data")
NOTHING: Mapping[str, Any] = {}


class ConfigError(Exception):
    """A setting that cannot be used; the message is one line: where it stands, what is wrong, what to do."""


@attrs.frozen
class Config:
    """Settings of one server, with their defaults. Times are in seconds.

    `body_caps` are bytes by dialect, over the dialect's own. `switched_off` are switches that the file names but
    leaves off; only `check` asks for them. `file` is where the settings come from, for messages.
    """

    switches: Mapping[str, frozenset[str]] = attrs.field(factory=dict)
    limits: Mapping[str, Limit] = attrs.field(factory=dict)
    hosts: Mapping[str, str] = attrs.field(factory=dict)
    body_caps: Mapping[str, int] = attrs.field(factory=dict)
    data: Path = DATA
    host: str = "127.0.0.1"
    port: int = 8080
    workers: int = 1
    queue_bytes: int = 64 * 1024 * 1024
    dedupe_window: float = 7 * 86_400.0
    keep_raw: float = 0.0
    keep_events: float = 0.0
    rejected_bytes: int = 64 * 1024 * 1024
    rejected_window: float = 7 * 86_400.0
    body_timeout: float = 30.0
    idle_timeout: float = 75.0
    trusted_proxies: tuple[Network, ...] = ()
    client_ip: Mapping[str, IpPolicy] = attrs.field(factory=dict)
    filter_bots: frozenset[str] = frozenset()
    log_level: str = "info"
    switched_off: Mapping[str, frozenset[str]] = attrs.field(factory=dict)
    file: Path | None = None

    def keep_ip(self, project: str | None) -> Callable[[str], str | None] | None:
        """Return what tells a project's part of an address to keep; None where it is kept as sent.

        No project is a stranger: whose client that was meant to be nobody knows, so the strictest policy holds.
        """
        if not self.client_ip:  # asked for each request, and mostly nothing is configured
            return None
        own = self.client_ip.get(project, IpPolicy.KEEP) if project is not None else None
        policy = strictest(self.client_ip.values()) if own is None else own
        return None if policy is IpPolicy.KEEP else partial(apply, policy)


def _split(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


VARIABLES: Mapping[str, tuple[str, str, Callable[[str], Any]]] = {
    "HOST": ("server", "host", str),
    "PORT": ("server", "port", int),
    "WORKERS": ("server", "workers", int),
    "BODY_TIMEOUT": ("server", "body_timeout", float),
    "IDLE_TIMEOUT": ("server", "idle_timeout", float),
    "TRUSTED_PROXIES": ("server", "trusted_proxies", _split),
    "LOG_LEVEL": ("server", "log_level", str),
    "QUEUE_MEGABYTES": ("storage", "queue_megabytes", float),
    "DEDUPE_DAYS": ("storage", "dedupe_days", float),
    "KEEP_EVENTS_DAYS": ("storage", "keep_events_days", float),
    "KEEP_RAW_DAYS": ("storage", "keep_raw_days", float),
    "REJECTED_MEGABYTES": ("storage", "rejected_megabytes", float),
    "REJECTED_DAYS": ("storage", "rejected_days", float),
}
"""Environment variables, without their prefix, and the setting that each stands for; DATA and CONFIG stand alone."""

OLD_VARIABLES = {"REFUSED_MEGABYTES": "REJECTED_MEGABYTES", "REFUSED_DAYS": "REJECTED_DAYS"}
"""Names from before 0.2; they go on working."""


def load(
    file: Path | None = None, flags: Mapping[str, object] = NOTHING, environ: Mapping[str, str] | None = None
) -> Config:
    """Return the settings: the command line's `flags` (data, host, port, workers; None is not given) win over the
    environment, which wins over the file (else the one that GATEWAY_CONFIG names). Raises ConfigError.
    """
    environment = os.environ if environ is None else environ
    named = environment.get(PREFIX + "CONFIG")
    file = Path(named) if file is None and named else file
    document = {} if file is None else read(file)
    for table, settings in _from_environment(environment).items():
        document[table] = {**document.get(table, {}), **settings}
    given = {name: value for name, value in flags.items() if value is not None and name != "data"}
    document["server"] = {**document.get("server", {}), **given}
    return _config(structure(document), data_directory(flags.get("data"), environment), file)


def data_directory(flag: object = None, environ: Mapping[str, str] | None = None) -> Path:
    """Return where everything is kept: `--data`, else GATEWAY_DATA, else `data` in the working directory."""
    environment = os.environ if environ is None else environ
    return Path(str(flag or environment.get(PREFIX + "DATA") or DATA))


def read(file: Path) -> dict[str, Any]:
    """Return a file's document, known to be well formed. Raises ConfigError."""
    try:
        document = current_names(tomllib.loads(file.read_text("utf-8")))
        structure(document)
    except OSError as error:
        raise ConfigError(f"{file}: cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{file}: is not TOML: {error}") from None
    except SettingError as wrong:
        raise ConfigError(f"{file}: {wrong}") from None
    return document


def check(config: Config, dialects: Iterable[Dialect]) -> None:
    """Raise ConfigError on settings for dialects, switches and packages that are not installed."""
    switches = {dialect.name: [switch.name for switch in dialect.switches] for dialect in dialects}
    named = [(("dialects", name), name) for name in (*config.body_caps, *config.switches, *config.switched_off)]
    named += [(("limits", name), name) for name in config.limits]
    named += [(("hosts", host), name) for host, name in config.hosts.items()]
    for project in sorted(config.filter_bots):
        if find_spec("crawleruseragents") is None:
            problem = "needs the package crawler-user-agents: pip install 'event-gateway[bots]'"
            raise _wrong(config, ("projects", project, "filter_bots"), problem)
    for path, name in named:
        if name not in switches:
            raise _wrong(config, path, f"no dialect is named {name!r}; {did_you_mean(name, switches)}")
    for each in (config.switches, config.switched_off):
        for name, keys in each.items():
            for key in sorted(keys - set(switches[name])):
                known = (*switches[name], "body_limit_bytes")
                raise _wrong(config, ("dialects", name, key), f"unknown key; {did_you_mean(key, known)}")


def _wrong(config: Config, path: Iterable[str], problem: str) -> ConfigError:
    return ConfigError(f"{config.file or 'configuration'}: {SettingError(path, problem)}")


def _from_environment(environment: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """Return the document that the environment amounts to, each variable tried alone so that it can be named.

    Kubernetes sets GATEWAY_PORT=tcp://... beside a service of that name, and others like it: they are not meant for
    us. Nor is any other unknown variable, unless it is so near a known one that it was.
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
            structure({table: {key: value}})
        except ValueError:
            kind = "a whole number" if parse is int else "a number"
            raise ConfigError(f"environment: {variable}: must be {kind}, not {text!r}") from None
        except SettingError as wrong:
            raise ConfigError(f"environment: {variable}: {wrong.problem}") from None
        document.setdefault(table, {})[key] = value
    return document


def _config(file: File, data: Path, path: Path | None) -> Config:
    def switches(wanted: bool) -> dict[str, frozenset[str]]:
        return {
            name: frozenset(key for key, value in table.items() if value is wanted)
            for name, table in file.dialects.items()
        }

    caps = {name: table["body_limit_bytes"] for name, table in file.dialects.items() if "body_limit_bytes" in table}
    return Config(
        switches=switches(True),
        limits=file.limits,
        hosts={host.lower(): name for host, name in file.hosts.items()},
        body_caps=caps,
        data=data,
        host=file.server.host,
        port=file.server.port,
        workers=file.server.workers,
        queue_bytes=int(file.storage.queue_megabytes * 1024 * 1024),
        dedupe_window=file.storage.dedupe_days * 86_400.0,
        keep_events=file.storage.keep_events_days * 86_400.0,
        keep_raw=file.storage.keep_raw_days * 86_400.0,
        rejected_bytes=int(file.storage.rejected_megabytes * 1024 * 1024),
        rejected_window=file.storage.rejected_days * 86_400.0,
        body_timeout=float(file.server.body_timeout),
        idle_timeout=float(file.server.idle_timeout),
        trusted_proxies=file.server.trusted_proxies,
        client_ip={name: project.client_ip for name, project in file.projects.items()},
        filter_bots=frozenset(name for name, project in file.projects.items() if project.filter_bots),
        log_level=file.server.log_level,
        switched_off=switches(False),
        file=path,
    )
