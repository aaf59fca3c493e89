"""How events lie in the log."""
