"""What operators ask and do about stored data: replay, counters, receipts, explanations of faults."""
