"""What a request without a credential says of its project, for tests/ingest/test_strangers.py."""

BY_THEIR_PAGE = ("outgoing",)
"""Routes where the page of exactly one site is that site's id."""
