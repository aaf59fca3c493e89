"""Several processes as one gateway: the supervisor, its children, and what they share. No dialects, no SQL."""
