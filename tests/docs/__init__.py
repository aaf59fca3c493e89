"""Tests of the documentation and the examples: they run what a person is told to type, and follow every link."""
