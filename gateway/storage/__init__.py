"""Where events are kept: the protocol (base), group commit over an engine (commit), the SQLite engine, its readers."""
