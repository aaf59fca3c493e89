"""Erasing a person: what every engine promises, and what keeps an erased person from coming back. No engine here."""
