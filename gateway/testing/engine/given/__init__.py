"""What checks of an engine write, and how they read it: entries, lines and rejections that are short to write."""
