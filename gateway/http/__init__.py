"""HTTP: bytes to requests and answers to bytes, with their bounds. It knows no dialect: what it serves is a Handler."""
