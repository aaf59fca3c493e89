"""What a project keeps of its clients: their addresses, and less where they ask for privacy."""
