"""JSON Schemas of the appizer items; data only."""
