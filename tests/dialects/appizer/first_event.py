"""What the curl line of the first start stores, for tests/docs/test_readme.py."""

FACTS = {"type": "track", "name": "purchase_completed", "user_id": "user_123", "properties": {"amount": 29.99}}
