"""Fuzzing: what nobody would send, over the HTTP surface and into the decoder."""
