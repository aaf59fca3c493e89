"""Backups: one file with all that a store has, made while gateways serve, checked, and restored into a new store.

The file is a tar archive, so that it can be read without the gateway: `tar xf FILE`, `zcat *.events.jsonl.gz`. Its
members, in this order (members.py):

- `backup.json`: the format and its version, when and from what the backup was made, and the columns of all tables;
- `NNNNNNNN.KIND.jsonl.gz`, numbered from 1: JSON, a line a row, compressed with gzip;
- `end.json`: how much of everything there is, and the SHA-256 of all bytes of the archive before this member.

Kinds, whose rows are those of values.py:

- `files`: files that came with events, in parts, before the events that name them;
- `events`: events as they are stored, a line each; `receipts`: receipts of requests; `batch`: one line that ends a part
  of the log, with the positions, days and dedupe keys of the events since the last one;
- the name of a table in gateway/storage/moving.py (TABLES): its rows. A table that is added there comes along.

A backup is one moment of the store: counters, quarantine and the rest are those of the moment up to which it has the
log. What is long is read before, in pages that pin nothing; only the last events and the short tables are read in one
snapshot (create.py).
"""
