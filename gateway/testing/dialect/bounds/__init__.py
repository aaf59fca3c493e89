"""Checks of what a dialect takes beside memory: time, files, sockets, and what it holds of strangers' values."""
