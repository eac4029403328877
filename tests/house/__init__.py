"""Conventions that matter, held by tests."""
