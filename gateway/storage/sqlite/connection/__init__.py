"""Reaching SQLite: files and their versions, a thread for a connection, statements over many rows. No table here."""
