"""The SQLite engine: one writer on a thread of its own, the tables, and the readers. No HTTP, no dialects."""
