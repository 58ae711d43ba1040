"""SQLite takes text where a number belongs, without a word; so what was bound and stored is looked at.

An instant that is bound without its type lands as text in a column of whole microseconds, and text is
greater than any number: what compares with it is wrong from then on.
"""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from sqlalchemy import BindParameter, DateTime, Interval, Numeric

from jobauto.extensions import db
from jobauto.models.types import Instant, Kwh

_STRANGERS = (DateTime, Interval, Numeric)
"""What SQLAlchemy takes for the type of an instant, a span and a decimal where nothing says ours."""


def untyped_binds(compiled: object) -> list[str]:
    """The parameters of a statement that carry an instant or kWh without being told so."""
    names: dict[BindParameter[Any], str] = getattr(compiled, "bind_names", {})  # of DDL there are none
    return [name for bind, name in names.items() if isinstance(bind.type, _STRANGERS)]


def wrongly_stored(file: Path) -> list[str]:
    """The columns of instants and kWh in a SQLite database that hold anything but whole numbers."""
    if not file.exists():
        return []  # a test of a database that goes away
    with closing(sqlite3.connect(file)) as connection:
        there = set(connection.execute(_COLUMNS))
        return [
            f"{table}.{column}"
            for table, column in sorted(_WHOLE_NUMBERS & there)
            if connection.execute(_STRANGE.format(table=table, column=column)).fetchone()
        ]


_WHOLE_NUMBERS = {
    (table.name, column.name)
    for table in db.metadata.sorted_tables
    for column in table.columns
    if isinstance(column.type, Instant | Kwh)
}
_STRANGE = """SELECT 1 FROM "{table}" WHERE typeof("{column}") NOT IN ('integer', 'null') LIMIT 1"""
_COLUMNS = (
    "SELECT t.name, c.name FROM sqlite_schema t JOIN pragma_table_info(t.name) c WHERE t.type = 'table'"
)
