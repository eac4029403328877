"""SQL files of a revision, run on the engine at hand."""

from pathlib import Path

from alembic import op
from sqlalchemy import Connection

SQL = Path(__file__).parent / "sql"


def statements(name: str) -> list[str]:
    """The statements of a file in `sql/`, parted by lines of `--;`."""
    text = (SQL / f"{name}.sql").read_text(encoding="utf-8")
    return [part.strip() for part in text.split("\n--;\n")]


def run_script(revision: str) -> None:
    """Run the revision's file for the engine of the migration in progress."""
    connection = op.get_bind()
    for statement in statements(f"{revision}_{connection.dialect.name}"):
        run(connection, statement)


def run(connection: Connection, statement: str) -> None:
    """One statement as it stands, percent signs and all."""
    connection.exec_driver_sql(statement, execution_options={"no_parameters": True})
