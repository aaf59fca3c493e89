"""Readers of groups and pages: of quarantined items, and of rejected requests."""
