"""What operators do with quarantined items and rejected requests: look at them, replay them, drop them."""
