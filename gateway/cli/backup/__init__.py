"""`gateway backup`: making one file of a store, checking it, restoring it."""
