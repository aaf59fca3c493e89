"""Readers of the SQLite files for commands and pages: read-only, short pages, no lock."""
