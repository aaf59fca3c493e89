"""Whether settings fit what is installed: dialects, their switches, packages."""

from collections.abc import Iterable, Iterator
from importlib.util import find_spec

from gateway.config.errors import ConfigError, SettingError, did_you_mean
from gateway.config.setting import settings_of
from gateway.config.settings import DialectSettings, ServerSettings
from gateway.config.tree import Config
from gateway.dialect import Dialect


def check(config: Config, dialects: Iterable[Dialect]) -> None:
    """Raise ConfigError on a setting for a dialect, a switch or a package that is not installed."""
    wrong = list(unknown(config, dialects))
    if wrong:
        more = f" ({len(wrong) - 1} more)" if len(wrong) > 1 else ""
        raise ConfigError(f"{config.file or 'configuration'}: {wrong[0]}{more}")


def unknown(config: Config, dialects: Iterable[Dialect]) -> Iterator[SettingError]:
    """Yield an error for each setting that names something that is not installed."""
    if find_spec("crawleruseragents") is None:
        for project in sorted(config.filter_bots):
            problem = "needs the extra `bots` (the package crawler-user-agents): run pip install '.[bots]'"
            yield SettingError(("projects", project, "filter_bots"), problem)
    yield from _sockets(config.server)
    switches = {dialect.name: [switch.name for switch in dialect.switches] for dialect in dialects}
    named = [(("dialects", name), name) for name in config.dialects]
    named += [(("limits", name), name) for name in config.limits]
    named += [(("hosts", host), name) for host, name in config.hosts.items()]
    if config.root_order != ServerSettings().root_order:  # the default may name dialects that were removed
        named += [(("server", "root_order"), name) for name in config.root_order]
    for path, name in named:
        if name not in switches:
            yield SettingError(path, f"no dialect is named {name!r}; {did_you_mean(name, switches)}")
    for host, name in config.hosts.items():
        if not config.enabled(name):
            yield SettingError(
                ("hosts", host), f"the dialect {name} is not enabled; set dialects.{name}.enabled = true"
            )
    for name, settings in config.dialects.items():
        known = (*switches.get(name, settings.switches), *settings_of(DialectSettings))
        for key in sorted(settings.switches.keys() - set(known)):
            yield SettingError(("dialects", name, key), f"unknown key; {did_you_mean(key, known)}")


def _sockets(server: ServerSettings) -> Iterator[SettingError]:
    if (server.tls_cert is None) != (server.tls_key is None):
        given, missing = ("tls_cert", "tls_key") if server.tls_key is None else ("tls_key", "tls_cert")
        yield SettingError(("server", given), f"needs {missing} too")
