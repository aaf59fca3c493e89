"""The settings of a server: from the file, the environment and the command line. The only reader of os.environ."""

import os
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import attrs

from gateway.config.environment import PREFIX, from_environment
from gateway.config.errors import ConfigError, SettingError, did_you_mean
from gateway.config.settings import Settings
from gateway.config.structure import current_names, structure
from gateway.dialect import Dialect
from gateway.http.client_address import Network
from gateway.ingest.address_policy import IpPolicy, apply, strictest
from gateway.ingest.rate_limit import Limit

DATA = Path("data")
NOTHING: Mapping[str, Any] = {}


@attrs.frozen
class Config:
    """The settings of one server, with their defaults. Times are in seconds.

    `switches` are the switches that are on, by dialect; `switched_off` are those that the file names but leaves off,
    kept so that `check` can look at their names. `body_caps` are in bytes, by dialect, and replace the dialect's own.
    `hosts` are dialects by host name. `file` is where the settings come from, for messages.
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
    unfinished_bytes: int = 256 * 1024 * 1024
    trusted_proxies: tuple[Network, ...] = ()
    client_ip: Mapping[str, IpPolicy] = attrs.field(factory=dict)
    filter_bots: frozenset[str] = frozenset()
    log_level: str = "info"
    switched_off: Mapping[str, frozenset[str]] = attrs.field(factory=dict)
    file: Path | None = None

    def keep_ip(self, project: str | None) -> Callable[[str], str | None] | None:
        """Return a function from a client's address to what the project keeps of it; None if it keeps all.

        Without a project (no valid credential was sent) the strictest policy of all projects applies.
        """
        if not self.client_ip:  # a short cut: this is called for each request, and most configurations set nothing
            return None
        own = self.client_ip.get(project, IpPolicy.KEEP) if project is not None else None
        policy = strictest(self.client_ip.values()) if own is None else own
        return None if policy is IpPolicy.KEEP else partial(apply, policy)


def load(
    file: Path | None = None, flags: Mapping[str, object] = NOTHING, environ: Mapping[str, str] | None = None
) -> Config:
    """Return the settings. The command line wins over the environment, which wins over the file.

    `flags` are `data`, `host`, `port` and `workers` of the command line; None means not given. Without a `file`,
    GATEWAY_CONFIG names it. Raises ConfigError.
    """
    environment = os.environ if environ is None else environ
    named = environment.get(PREFIX + "CONFIG")
    file = Path(named) if file is None and named else file
    document = {} if file is None else _read(file)
    _, wrong = structure(document)
    if wrong:
        more = f" ({len(wrong) - 1} more: see `gateway check-config {file}`)" if len(wrong) > 1 else ""
        raise ConfigError(f"{file}: {wrong[0]}{more}")
    document = current_names(document)
    for name, table in from_environment(environment).items():
        document[name] = {**document.get(name, {}), **table}
    given = {name: value for name, value in flags.items() if value is not None and name != "data"}
    document["server"] = {**document.get("server", {}), **given}
    settings, wrong = structure(document)
    for each in wrong:  # the file and the environment were checked above
        raise ConfigError(f"command line: {each}")
    return _config(settings, data_directory(flags.get("data"), environment), file)


def data_directory(flag: object = None, environ: Mapping[str, str] | None = None) -> Path:
    """Return the data directory: `--data`, else GATEWAY_DATA, else `data` in the working directory."""
    environment = os.environ if environ is None else environ
    return Path(str(flag or environment.get(PREFIX + "DATA") or DATA))


def problems(file: Path, dialects: Iterable[Dialect]) -> tuple[str, ...]:
    """Return everything that is wrong in a file, one line each, as ConfigError has it. Ignores the environment."""
    try:
        settings, wrong = structure(_read(file))
    except ConfigError as error:
        return (str(error),)
    found = (*wrong, *_unknown(_config(settings, DATA, file), dialects))
    return tuple(f"{file}: {each}" for each in found)


def check(config: Config, dialects: Iterable[Dialect]) -> None:
    """Raise ConfigError on a setting for a dialect, a switch or a package that is not installed."""
    for wrong in _unknown(config, dialects):
        raise ConfigError(f"{config.file or 'configuration'}: {wrong}")


def _read(file: Path) -> dict[str, Any]:
    """Return a file's document. Raises ConfigError if it cannot be read or is not TOML."""
    try:
        return tomllib.loads(file.read_text("utf-8"))
    except OSError as error:
        raise ConfigError(f"{file}: cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{file}: is not TOML: {error}") from None


def _unknown(config: Config, dialects: Iterable[Dialect]) -> Iterator[SettingError]:
    """Yield an error for each setting that names something that is not installed."""
    if find_spec("crawleruseragents") is None:
        for project in sorted(config.filter_bots):
            problem = "needs the extra `bots` (the package crawler-user-agents): run pip install '.[bots]'"
            yield SettingError(("projects", project, "filter_bots"), problem)
    switches = {dialect.name: [switch.name for switch in dialect.switches] for dialect in dialects}
    named = {("dialects", name): name for name in (*config.body_caps, *config.switches, *config.switched_off)}
    named |= {("limits", name): name for name in config.limits}
    named |= {("hosts", host): name for host, name in config.hosts.items()}
    for path, name in named.items():
        if name not in switches:
            yield SettingError(path, f"no dialect is named {name!r}; {did_you_mean(name, switches)}")
    for each in (config.switches, config.switched_off):
        for name, keys in each.items():
            known = (*switches.get(name, keys), "body_limit_bytes")
            for key in sorted(keys - set(known)):
                yield SettingError(("dialects", name, key), f"unknown key; {did_you_mean(key, known)}")


def _config(file: Settings, data: Path, path: Path | None) -> Config:
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
        unfinished_bytes=int(file.server.unfinished_megabytes * 1024 * 1024),
        trusted_proxies=file.server.trusted_proxies,
        client_ip={name: project.client_ip for name, project in file.projects.items()},
        filter_bots=frozenset(name for name, project in file.projects.items() if project.filter_bots),
        log_level=file.server.log_level,
        switched_off=switches(False),
        file=path,
    )
