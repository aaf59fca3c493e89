"""What operators are told of credentials, and when one is to end."""
