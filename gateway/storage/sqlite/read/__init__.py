"""Readers of the SQLite files, for commands: short pages, no lock, and read-only unless a function says otherwise."""
