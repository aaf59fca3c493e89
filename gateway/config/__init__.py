"""Everything that an operator may set: by file, environment and command line. Nothing else reads the environment."""

from gateway.config.check import check
from gateway.config.errors import ConfigError
from gateway.config.load import data_directory, load, problems, storage_url
from gateway.config.settings import (
    DialectSettings,
    LimitSettings,
    LogSettings,
    ProjectSettings,
    ServerSettings,
    StorageSettings,
)
from gateway.config.tree import Config

__all__ = [
    "Config",
    "ConfigError",
    "DialectSettings",
    "LimitSettings",
    "LogSettings",
    "ProjectSettings",
    "ServerSettings",
    "StorageSettings",
    "check",
    "data_directory",
    "load",
    "problems",
    "storage_url",
]
