"""Whether replaying the log gives what is stored: the checks of a live store that go beyond its hashes.

Each check reads the log page by page, folds it with the service's own code into a private database, and
compares. Nothing is repaired, nothing of the live store is written, and the service may go on working
meanwhile.
"""
