"""A PostgreSQL in the shape of a distributed database: all of it but the machines.

There is no Citus to test with. A function of the same name stands for ``create_distributed_table`` and keeps
what it was asked for; the rest of ``jobauto db distribute`` is real: keys, indexes, registry.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import event, text

from jobauto.extensions import db
from jobauto.storage.citus import distribute

Sent = dict[str, None]

PRETENDED_CITUS = """
CREATE TABLE asked_to_distribute (name text, by_column text, beside text);
CREATE FUNCTION create_distributed_table(name text, by_column text, colocate_with text DEFAULT 'default')
RETURNS void LANGUAGE sql AS 'INSERT INTO asked_to_distribute VALUES (name, by_column, colocate_with)';
"""


def pretend_citus() -> None:
    """Make the function that Citus brings. Needs an app context."""
    with db.engine.begin() as connection:
        connection.execute(text(PRETENDED_CITUS))


def pretend() -> None:
    """Distribute as an operator does, and let tests make sites without an import. Needs an app context."""
    pretend_citus()
    with db.engine.connect() as connection:
        distribute(connection)
    with db.engine.begin() as connection:
        connection.execute(text("CREATE SEQUENCE keys_of_tests START 1000001"))
        connection.execute(text("ALTER TABLE site ALTER key SET DEFAULT nextval('keys_of_tests')"))


@contextmanager
def sending() -> Iterator[Sent]:
    """The statements that are sent, each once, in order. Needs an app context."""
    statements: Sent = {}

    def keep(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        statements.setdefault(statement)

    event.listen(db.engine, "before_cursor_execute", keep)
    yield statements
    event.remove(db.engine, "before_cursor_execute", keep)
