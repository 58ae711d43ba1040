"""Two who change the same at the same moment: each has looked, and none has committed yet."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import get_ident

from sqlalchemy import Connection, event, text

from jobauto.extensions import db
from tests.processes import await_until

WAITING = text("""
SELECT EXISTS (SELECT * FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock')
""")


def is_anybody_waiting(connection: Connection) -> bool:
    """Whether somebody waits for a lock in this database, on PostgreSQL, as of now.

    What a transaction has once seen of it, PostgreSQL keeps until its end.
    """
    connection.execute(text("SELECT pg_stat_clear_snapshot()"))
    return bool(connection.scalar(WAITING))


@contextmanager
def just_before(statement: str, act: Callable[[], None]) -> Iterator[None]:
    """Act once, where somebody is about to send a statement and has not committed. Needs an app context."""
    acted: list[str] = []

    def look(_connection: object, _cursor: object, sent: str, *_: object) -> None:
        if sent.lstrip().startswith(statement) and not acted:
            acted.append(sent)
            act()

    event.listen(db.engine, "before_cursor_execute", look)
    yield
    event.remove(db.engine, "before_cursor_execute", look)
    assert acted


@contextmanager
def both_before_either_commits(table: str) -> Iterator[None]:
    """Let one who has updated a table commit when the other one is about to, too, or waits for a lock.

    On SQLite a write waits before it begins, for the only lock there is. Needs an app context.
    """
    writing: set[int] = set()
    committing: set[int] = set()

    def note(_connection: Connection, _cursor: object, statement: str, *_: object) -> None:
        if statement.startswith((f"UPDATE {table} ", f'UPDATE "{table}" ')):
            writing.add(get_ident())

    def pause(connection: Connection) -> None:
        if get_ident() in writing:
            committing.add(get_ident())
            await_until(lambda: len(committing) == 2 or waits(connection), "both commit, or one waits")

    def waits(connection: Connection) -> bool:
        return connection.dialect.name == "sqlite" or is_anybody_waiting(connection)

    engine = db.engine
    event.listen(engine, "after_cursor_execute", note)
    event.listen(engine, "commit", pause)
    try:
        yield
    finally:
        event.remove(engine, "after_cursor_execute", note)
        event.remove(engine, "commit", pause)
