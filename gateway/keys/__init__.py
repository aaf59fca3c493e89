"""Who may send: credentials, their file, and the rules that open a project. No HTTP and no events."""
