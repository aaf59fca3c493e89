"""The append-only log: its contract, the decision of what is new, group commit, and one folder for each engine."""
