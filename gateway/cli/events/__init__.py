"""`gateway events`: reading the log, and rewriting its events from kept requests."""
