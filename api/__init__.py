"""Every way in: REST, pages, command line, and the wiring that builds the system."""
