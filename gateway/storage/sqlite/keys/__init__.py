"""The credentials of a data directory, in keys.db: a file of their own, so that no change waits for the writer."""
