"""Erasing a person from a database, beside the gateways that write into it. See gateway/storage/erasing.py."""
