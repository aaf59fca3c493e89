"""What the curl line of the first start stores, for tests/docs/test_readme.py."""

FACTS = {"type": "track", "name": "Signed Up", "user_id": "1043"}
