"""What an operator sees first: events by time, outcomes, and how the store is. Read from counters, not the log."""
