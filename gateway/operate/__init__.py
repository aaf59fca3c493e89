"""What operators ask and do with what is stored: replay, counters, receipts, explanations. No path of an event."""
