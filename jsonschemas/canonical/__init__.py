"""JSON Schemas of the canonical event; data only."""
