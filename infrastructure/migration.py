"""Bringing a store to the revision this code expects. No configuration file: all of it stands here."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from alembic import command
from alembic.config import Config
from psycopg import sql
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from domain.errors import StoreUnavailable
from infrastructure.addresses import is_sqlite, store_file
from infrastructure.event_store.sqlite import connect as connect_sqlite
from infrastructure.event_store.sqlite import meaning as sqlite_meaning
from infrastructure.files import make_private
from infrastructure.migrations.script import run, statements
from infrastructure.revision import REVISION

FOLDER = Path(__file__).parent / "migrations"
MIGRATION_LOCK = 0x53756E4C4D


def migrate(url: str, service_role: str | None = None) -> None:
    """Bring the store to `REVISION`; all of it or nothing, and nothing where it is there already.

    On PostgreSQL the role of the URL owns what is made, and `service_role` (which must exist) gets what the
    service needs: on events only SELECT and INSERT. Raises StoreUnavailable when the database does not
    answer.
    """
    with _transaction(url) as connection:
        _upgrade(connection)
        if service_role is not None and not is_sqlite(url):
            _grant(connection, service_role)


def _upgrade(connection: Connection) -> None:
    config = Config()
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, REVISION)


def _grant(connection: Connection, role: str) -> None:
    schema = connection.exec_driver_sql("SELECT current_schema()").scalar_one()
    names = {"role": sql.Identifier(role).as_string(), "schema": sql.Identifier(schema).as_string()}
    for statement in statements("0001_grants"):
        grant = statement
        for name, value in names.items():
            grant = grant.replace(f"{{{name}}}", value)
        run(connection, grant)


@contextmanager
def _transaction(url: str) -> Iterator[Connection]:
    engine = _engine(url)
    try:
        with engine.begin() as connection:
            if not is_sqlite(url):
                connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({MIGRATION_LOCK})")
            yield connection
    except DBAPIError as error:
        if isinstance(error.orig, sqlite3.Error):
            raise sqlite_meaning(error.orig) from error
        raise
    finally:
        engine.dispose()


def _engine(url: str) -> Engine:
    if is_sqlite(url):
        file = store_file(url)
        _make_folder(file.parent)
        make_private(file)
        engine = _made("sqlite://", lambda: connect_sqlite(file))
        event.listen(engine, "begin", _begin_immediate)
        return engine
    return _made("postgresql+psycopg://", lambda: _connect_postgres(url))


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreUnavailable(reason="unreachable", cause=str(error)) from error


def _connect_postgres(url: str) -> psycopg.Connection[Any]:
    try:
        return psycopg.connect(url)
    except psycopg.OperationalError as error:
        raise StoreUnavailable(reason="unreachable", cause=str(error)) from error


def _made(dialect: str, creator: Callable[[], Any]) -> Engine:
    return create_engine(dialect, creator=creator, poolclass=NullPool)


def _begin_immediate(connection: Connection) -> None:
    # sqlite3 itself begins no transaction before DDL: a migration killed half-way would stay half done.
    connection.exec_driver_sql("BEGIN IMMEDIATE")
