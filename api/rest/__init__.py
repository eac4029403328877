"""The interface for machines, `/api/v1`: an entry point parses, asks once, presents. A file is a resource."""
