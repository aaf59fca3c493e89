"""Several processes as one gateway: starting them, keeping them, ending them, and the memory that they share."""
