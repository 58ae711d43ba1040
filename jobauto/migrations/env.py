"""How Alembic reaches the database: by the connection it is given, or the application's own engine."""

from alembic import context
from sqlalchemy import Connection

from jobauto.extensions import db
from jobauto.storage.connections import foreign_keys_off, write_on
from jobauto.storage.migrating import be_alone_in_migrating, has_model, is_compared


def configure(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=db.metadata,
        render_as_batch=True,
        compare_type=True,
        compare_server_default=False,
        include_name=has_model,
        include_object=is_compared,
    )


given = context.config.attributes.get("connection")
if given is not None:
    configure(given)
    context.run_migrations()  # in the transaction of whoever gave it
else:
    with db.engine.connect() as connection:
        configure(connection)
        with foreign_keys_off(connection), write_on(connection):
            be_alone_in_migrating(connection)
            context.run_migrations()
