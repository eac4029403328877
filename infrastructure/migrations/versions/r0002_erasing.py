"""Erasing personal data: an append may erase a row of the vault and the credential of an account."""

from infrastructure.migrations.script import run_script

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Let the append function erase (PostgreSQL), and what is erased stay so (both)."""
    run_script("0002")


def downgrade() -> None:
    """What is erased does not come back by a migration."""
    raise NotImplementedError("erasures are never undone")
