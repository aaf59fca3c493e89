"""Promises of the log: what is appended, and how it is read."""
