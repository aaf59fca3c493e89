"""Checks of who sends: what opens a project, and what stays nowhere."""
