"""The settings of a server: from the file, the environment and the command line. The only reader of os.environ."""

import os
import tomllib
from collections.abc import Iterable, Mapping, MutableMapping
from pathlib import Path
from typing import Any

import attrs

from gateway.config.check import unknown
from gateway.config.environment import PREFIX, from_environment, names_dialects
from gateway.config.errors import ConfigError
from gateway.config.renamed import current_names
from gateway.config.structure import structure
from gateway.config.tree import Config
from gateway.dialect import Dialect
from gateway.keys.origins import host_of

MAX_BYTES = 1 << 22
FIRST_DESCRIPTOR = 3
URL_VARIABLES = (PREFIX + "STORAGE", PREFIX + "STORAGE_URL")
NOTHING: Mapping[str, Any] = {}


def load(
    file: Path | None = None,
    flags: Mapping[str, object] = NOTHING,
    environ: Mapping[str, str] | None = None,
    dialects: Iterable[Dialect] | None = None,
) -> Config:
    """Return the settings. The command line wins over the environment, which wins over the file.

    `flags` are `data`, `storage` (a URL), `host`, `port`, `workers` and `console` of the command line; None means not
    given. At most one of `data` and `storage` is given. Without a `file`, GATEWAY_CONFIG names it. `dialects` are those
    whose names and switches may stand in variables, by default the installed ones. Raises ConfigError, and
    RegistryError if an installed dialect cannot be loaded.
    """
    environment = os.environ if environ is None else environ
    file = _file(file, environment)
    document = {} if file is None else _read(file)
    _, wrong = structure(document)
    if wrong:
        more = f" ({len(wrong) - 1} more: see `gateway check-config {file}`)" if len(wrong) > 1 else ""
        raise ConfigError(f"{file}: {wrong[0]}{more}")
    document = current_names(document)
    if dialects is None:
        dialects = _installed() if names_dialects(environment) else ()
    for path, value in from_environment(environment, document, dialects).items():
        _set(document, path, value)
    given = {name: value for name, value in flags.items() if value is not None and name not in ("data", "storage")}
    if flags.get("data") is not None or flags.get("storage") is not None:
        _set(document, ("storage", "url"), flags.get("storage"))
    for name, value in given.items():
        _set(document, ("server", name), value)
    config, wrong = structure(document)
    for each in wrong:  # what the file and each variable say by themselves was checked above
        source = "command line" if each.path[0] == "server" and each.path[-1] in given else "environment"
        raise ConfigError(f"{source}: {each}")
    hosts = {host_of(host): name for host, name in config.hosts.items()}
    return attrs.evolve(config, hosts=hosts, data=data_directory(flags.get("data"), environment), file=file)


def _file(file: Path | None, environment: Mapping[str, str]) -> Path | None:
    """Return the file of the command line, else the one that GATEWAY_CONFIG names."""
    named = environment.get(PREFIX + "CONFIG", "").strip()
    return Path(named) if file is None and named else file


def check_again(file: Path | None) -> None:
    """Check that a file that was read once can be read once more: a FIFO would wait for ever, or be empty by now.

    Raises ConfigError.
    """
    if file is not None and file.exists() and not (file.is_file() or file.is_dir()):
        raise ConfigError(f"{file}: cannot be read again: it is not a regular file")


def _installed() -> Iterable[Dialect]:
    from gateway.ingest.registry import discover  # here, so that the writer never loads JSON Schema for its settings

    return discover()


def storage_url(
    data: Path | None = None,
    storage: str | None = None,
    file: Path | None = None,
    environ: Mapping[str, str] | None = None,
) -> str:
    """Return the URL of the store as `load` does, for a command that needs no other setting: none other is checked.

    `data`, `storage` and `file` are those of the command line. Raises ConfigError.
    """
    environment = os.environ if environ is None else environ
    directory = f"sqlite:{data_directory(data, environment)}"
    if data is not None or storage is not None:
        return storage or directory
    of_storage = {name: text for name, text in environment.items() if name in URL_VARIABLES}
    set_there = from_environment(of_storage, {}, ()).get(("storage", "url"))
    if set_there is not None:
        return str(set_there)
    file = _file(file, environment)
    written = {} if file is None else _read(file).get("storage", {})
    url = written.get("url") if isinstance(written, dict) else None
    config, wrong = structure({"storage": {"url": url}} if url is not None else {})
    for each in wrong:
        raise ConfigError(f"{file}: {each}")
    return config.storage.url or directory


def data_directory(flag: object = None, environ: Mapping[str, str] | None = None) -> Path:
    """Return the data directory: `--data`, else GATEWAY_DATA, else `data` in the working directory."""
    environment = os.environ if environ is None else environ
    return Path(str(flag or environment.get(PREFIX + "DATA", "").strip() or Config().data))


def notify_socket(environ: Mapping[str, str] | None = None) -> str | None:
    """Return the address at which systemd wants to be told how the service is (sd_notify); None for no address."""
    return (os.environ if environ is None else environ).get("NOTIFY_SOCKET") or None


def handed_over(environ: MutableMapping[str, str] | None = None) -> tuple[int, ...]:
    """Return the descriptors of the sockets that systemd hands over to this process (sd_listen_fds).

    The variables are forgotten: no child shall take the sockets too. Their names (FileDescriptorName=) mean nothing.
    Raises ConfigError on a number that is none.
    """
    environment = os.environ if environ is None else environ
    count, pid, _names = [environment.pop(f"LISTEN_{name}", "").strip() for name in ("FDS", "PID", "FDNAMES")]
    if not count or pid != str(os.getpid()):
        return ()
    if not (count.isascii() and count.isdigit() and len(count) <= 3):
        raise ConfigError(f"environment: LISTEN_FDS: must be a number of sockets, not {count!r}")
    return tuple(range(FIRST_DESCRIPTOR, FIRST_DESCRIPTOR + int(count)))


def problems(file: Path, dialects: Iterable[Dialect]) -> tuple[str, ...]:
    """Return everything that is wrong in a file, one line each, as ConfigError has it. Ignores the environment."""
    try:
        config, wrong = structure(_read(file))
    except ConfigError as error:
        return (str(error),)
    return tuple(f"{file}: {each}" for each in (*wrong, *unknown(config, dialects)))


def _read(file: Path) -> dict[str, Any]:
    """Return a file's document. Raises ConfigError if it cannot be read or is not TOML."""
    try:
        with file.open("rb") as opened:
            read = opened.read(MAX_BYTES + 1)
        if len(read) > MAX_BYTES:
            raise ConfigError(f"{file}: is larger than a configuration can be ({MAX_BYTES} bytes)")
        return tomllib.loads(read.decode("utf-8-sig"))  # editors on Windows put a byte order mark before the text
    except OSError as error:
        raise ConfigError(f"{file}: cannot be read: {error.strerror}") from None
    except RecursionError:
        raise ConfigError(f"{file}: is nested too deeply") from None
    except ValueError as error:  # not only TOMLDecodeError: a number may have too many digits
        raise ConfigError(f"{file}: is not TOML: {error}") from None


def _set(document: dict[str, Any], path: tuple[str, ...], value: object) -> None:
    *tables, key = path
    for table in tables:
        document = document.setdefault(table, {})
    document[key] = value
