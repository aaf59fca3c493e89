"""What the operator may set: the file, the environment and the command line. Nothing else reads the environment."""

from gateway.config.load import Config, ConfigError, check, data_directory, load

__all__ = ["Config", "ConfigError", "check", "data_directory", "load"]
