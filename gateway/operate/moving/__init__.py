"""Moving one store into another, whatever their engines, and proving that both have the same."""
