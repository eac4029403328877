"""The audit ledger's formats: entries, Merkle tree, tiles, checkpoints, receipts and their verification.

Imports the standard library and `cryptography` only, and takes openers instead of paths, so that anybody
can lift this folder out and check a log without the rest of the service. The formats are C2SP tlog-tiles,
tlog-checkpoint, signed-note and tlog-proof over an RFC 6962 tree; `docs/reference/ledger-format.md`
describes them.
"""
