"""JSON Schemas of the quill items; data only."""
