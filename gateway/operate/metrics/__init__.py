"""What `/-/metrics` answers."""
