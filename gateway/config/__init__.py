"""Everything that an operator may set: by file, environment and command line. Nothing else reads the environment."""

from gateway.config.errors import ConfigError
from gateway.config.load import Config, check, data_directory, load, problems

__all__ = ["Config", "ConfigError", "check", "data_directory", "load", "problems"]
