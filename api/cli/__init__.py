"""The command line, `sunlot`: every command parses, asks once, presents."""
