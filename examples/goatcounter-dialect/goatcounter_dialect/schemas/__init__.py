"""JSON Schemas (2020-12) of the items; data only."""
