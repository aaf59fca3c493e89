"""Who may send: credentials, their file, and the rules by which they open a project. No HTTP, no events."""
