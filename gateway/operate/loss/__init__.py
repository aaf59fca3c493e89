"""What is lost when events of one dialect are sent in the protocol of another: computed, never written by hand."""
