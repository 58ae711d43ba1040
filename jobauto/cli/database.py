"""The commands that change how a database keeps its data, beside Flask-Migrate's own: ``jobauto db ...``."""

import click

from ..clock import utcnow
from ..extensions import db
from ..storage import citus, partitions
from ..storage.vacuum import vacuum_analyze
from .common import on_database


@click.command("partition")
@on_database
def partition() -> None:
    """Keep the readings in a partition a month (PostgreSQL only). Does nothing the second time."""
    now = utcnow()
    try:
        with db.engine.connect() as connection:
            is_new = partitions.partition(connection, now)
            partitions.keep_ahead(connection, now)
    except partitions.CannotPartition as error:
        raise click.UsageError(str(error)) from error
    if is_new:
        vacuum_analyze(everything=True)
    click.echo("The readings are in partitions now" if is_new else "The readings were in partitions already")


@click.command("distribute")
@on_database
def distribute() -> None:
    """Spread a fresh database over the machines of a Citus cluster. Does nothing the second time."""
    try:
        with db.engine.connect() as connection:
            is_new = citus.distribute(connection)
    except citus.CannotDistribute as error:
        raise click.UsageError(str(error)) from error
    click.echo("The database is distributed now" if is_new else "The database was distributed already")
