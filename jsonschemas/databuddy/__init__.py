"""JSON Schemas of the databuddy items; data only."""
