"""Backups: made, checked, restored, and refused."""
