"""Readers of the database, for commands and consoles: short pages, no lock, each in a transaction of its own."""
