"""What readers tell of held items and rejected requests beside whole lists: groups, and pages of rows."""
