"""How Alembic reaches the database: through the application's own engine."""

from alembic import context

from jobauto.database import write_on
from jobauto.extensions import db

with db.engine.connect() as connection:
    context.configure(
        connection=connection,
        target_metadata=db.metadata,
        render_as_batch=True,
        compare_type=True,
        compare_server_default=False,
    )
    with write_on(connection):
        context.run_migrations()
