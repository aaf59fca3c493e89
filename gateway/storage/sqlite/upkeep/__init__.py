"""What is done beside storing: expired events go, and the room that they leave is given back to the disk."""
