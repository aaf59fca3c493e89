"""The JSON Schemas of the small dialect."""
