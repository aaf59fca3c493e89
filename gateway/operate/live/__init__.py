"""What arrives, for all who watch: one reader of the store for all of them, and a bounded queue for each."""
