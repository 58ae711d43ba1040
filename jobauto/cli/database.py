"""The commands on the database itself: Flask-Migrate's, and those that change how it keeps its data."""

from typing import Any

import click
from flask import current_app
from flask.cli import with_appcontext
from flask_migrate.cli import db as migrations

from .. import config
from ..clock import utcnow
from ..extensions import db as database
from ..storage import citus, partitions
from ..storage.connections import revision_of
from ..storage.migrating import migrate
from ..storage.vacuum import vacuum_analyze
from .common import in_sentences, on_database


@click.command("partition")
@on_database
def partition() -> None:
    """Keep the readings in a partition a month (PostgreSQL only). Does nothing the second time."""
    now = utcnow()
    try:
        with database.engine.connect() as connection:
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
        with database.engine.connect() as connection:
            is_new = citus.distribute(connection)
    except citus.CannotDistribute as error:
        raise click.UsageError(str(error)) from error
    click.echo("The database is distributed now" if is_new else "The database was distributed already")


class _Database(click.Group):
    """Flask-Migrate's commands raise what ours say in sentences."""

    def invoke(self, ctx: click.Context) -> Any:
        """Call the command."""
        return in_sentences(super().invoke)(ctx)


@click.group("db", cls=_Database, commands=migrations.commands, params=migrations.params)
@click.pass_context
@with_appcontext
def db(ctx: click.Context, /, **options: Any) -> None:
    """Create, upgrade, partition or distribute the database."""
    if ctx.invoked_subcommand == "upgrade":
        _require_a_good_key()
    migrate.init_app(current_app)
    ctx.invoke(migrations, **options)


def _require_a_good_key() -> None:
    """Nothing hangs on the key of a new database yet: this is when a short one is refused."""
    if not config.is_key_short(current_app):
        return
    with database.engine.connect() as connection:
        if revision_of(connection) is None:
            raise click.ClickException(
                f"JOBAUTO_SECRET_KEY has fewer than {config.SHORTEST_KEY} characters. Set a longer one "
                "before the database is made, or none: then a random one is kept in the instance folder."
            )


db.add_command(partition)
db.add_command(distribute)
