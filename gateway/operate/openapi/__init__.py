"""OpenAPI 3.1 documents of dialects, and what the console shows of them. Pure."""
