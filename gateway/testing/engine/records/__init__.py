"""Promises of what is kept and counted beside the log: the quarantine, receipts, requests, counters."""
