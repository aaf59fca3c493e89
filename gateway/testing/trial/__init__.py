"""What checks hand to a dialect, what nobody should send included, and how they judge what comes of it."""
