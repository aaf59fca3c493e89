"""The `gateway` command, a module for each noun. It reads options, calls other rooms and prints; nothing imports it."""

from gateway.cli.main import main

__all__ = ["main"]
