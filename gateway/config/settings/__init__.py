"""The tables of settings: every name, type, default, bound and meaning, and nothing else. All the rest is derived.

`python -m gateway.config.document` writes examples/gateway.toml and docs/settings.md anew after a change.
"""

from gateway.config.settings.by_name import DialectSettings, LimitSettings, ProjectSettings
from gateway.config.settings.server import ServerSettings
from gateway.config.settings.storage import LogSettings, StorageSettings

__all__ = ["DialectSettings", "LimitSettings", "LogSettings", "ProjectSettings", "ServerSettings", "StorageSettings"]
