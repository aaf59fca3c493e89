"""The OpenAPI documents of dialects."""
