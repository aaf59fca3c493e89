"""The SQLite engine: one writer, its tables, and what is kept beside the log. Synchronous, on the writer's thread."""
