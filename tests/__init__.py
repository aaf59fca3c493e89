"""Tests: mirrors of the packages, the corpus, properties, faults, and the benchmark."""
