"""JSON Schemas of the tranthor items; data only."""
