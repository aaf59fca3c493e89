"""The PostgreSQL engine: rows an event, shared by any number of gateways. See docs/scale.md for its tables."""
