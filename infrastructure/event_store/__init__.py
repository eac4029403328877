"""The event store: events with their ledger entries, and all that one append writes beside them."""
