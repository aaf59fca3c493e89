"""The toy's one schema; data only."""
