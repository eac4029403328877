"""Cases that agencies have published, carried through the system."""
