"""What is kept of a request and counted: redaction, raw and rejected requests, metrics. Nothing is stored here."""
