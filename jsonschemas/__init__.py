"""JSON Schemas (2020-12), one package a dialect; data only."""
