"""What the pages Quarantine and Rejected share, and their part of the console's OpenAPI."""
