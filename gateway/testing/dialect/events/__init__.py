"""Checks of what is made: canonical events, with each fact in its place, by pure functions."""
