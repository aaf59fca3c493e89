"""The corpus of a dialect: conversations as data, and what must be stored after each."""
