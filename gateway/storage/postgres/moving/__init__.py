"""Moving a database into another store, and another store into one. See gateway/storage/moving.py."""
