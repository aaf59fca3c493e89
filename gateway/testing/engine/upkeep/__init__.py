"""Promises of what operators do with a store: credentials, erasing, backups, moving; and that it outlives a kill."""
