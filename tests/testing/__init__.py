"""Tests of the kit for dialects: each of its checks against a dialect that keeps its promise, and one that does not."""
