"""Measurements beside what they are compared with, run by `make bench`; never timed tests."""
