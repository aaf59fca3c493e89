"""The schema of a small dialect whose events say who visits."""
