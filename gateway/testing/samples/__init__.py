"""Requests that a dialect accepts, found in its corpus, and what can be made of them without knowing the protocol."""
