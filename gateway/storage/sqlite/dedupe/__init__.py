"""Which keys were committed before: a small LSM store of 16-byte keys behind Bloom filters, forgotten by generation."""
