"""Tests of moving a store."""
