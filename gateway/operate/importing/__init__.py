"""Import of history: the vendor's items from files, through the dialect's own code, into the log."""
