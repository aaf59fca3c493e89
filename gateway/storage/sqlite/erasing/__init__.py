"""Erasing a person from a data directory. See gateway/storage/erasing/."""
