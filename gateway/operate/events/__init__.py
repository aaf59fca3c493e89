"""What operators ask of the events in the log: which there are, where one is, what one is in short and whole."""
