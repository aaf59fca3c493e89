"""The benchmark of the PostgreSQL engine: `python -m tests.bench --storage postgresql`."""
