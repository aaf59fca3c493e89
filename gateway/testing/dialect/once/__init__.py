"""Checks that every event is stored once: by its id, by an Idempotency-Key, and over a kill."""
