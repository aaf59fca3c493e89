"""JSON Schemas of the browsee items; data only."""
