"""The store: events with their entries, claims, answers, vault, credentials, tokens, latch."""

from infrastructure.migrations.script import run_script

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the store's tables, triggers and (on PostgreSQL) the append function."""
    run_script("0001")


def downgrade() -> None:
    """A log is never taken away by a migration."""
    raise NotImplementedError("the store's events are never dropped")
