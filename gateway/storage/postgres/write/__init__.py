"""Writing inside the transaction of a group: what was seen before, the decision, the rows."""
