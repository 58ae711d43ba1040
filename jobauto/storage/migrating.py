"""The schema's migrations, by Alembic: loaded only where a database is created, upgraded or restored."""

import re

from alembic import command
from alembic.config import Config
from flask_migrate import Migrate
from sqlalchemy import Connection, func, select

from ..extensions import db
from ..models.job import SORTED_NULL_FIRST
from .connections import MIGRATIONS, revision_of

migrate = Migrate(db=db, directory=str(MIGRATIONS), compare_type=True, render_as_batch=True)

_LOCK = 0x6A6F626D
"""Of all who would bring a schema up at once, one does. (Their number among advisory locks: "jobm".)"""
_WITHOUT_MODEL = re.compile("reading_(older|[0-9]{4}_[0-9]{2})|site_registry")
"""Partitions, and what keeps ``site_id`` unique in a distributed database."""


def has_model(name: str | None, kind: str, _parents: object) -> bool:
    """For Alembic, which takes a table without a model for one that is no longer wanted."""
    return kind != "table" or not _WITHOUT_MODEL.fullmatch(name or "")


def is_compared(_object: object, name: str | None, kind: str, _reflected: bool, _beside: object) -> bool:
    """For Alembic, which takes the place of NULL in an index of PostgreSQL for an expression of ours."""
    return kind != "index" or name not in SORTED_NULL_FIRST


def be_alone_in_migrating(connection: Connection) -> None:
    """Until the transaction ends; asked before one looks which revision the schema has."""
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))


def upgrade_on(connection: Connection, revision: str = "head") -> None:
    """Create a database or bring it to a schema, the newest by default, in a transaction of the caller's."""
    revision_of(connection)
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, revision)
