"""Verifying a draw with its proofs: the bundle against itself, against the ledger, and against the whole log.

Puts `domain/drawing` and `domain/ledger` together and imports nothing else of ours, so that a stranger can
lift the three folders out.
"""
