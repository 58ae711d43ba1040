"""SQLite refuses what PostgreSQL refuses to hold: a text with NUL, or longer than its column.

SQLite itself keeps anything in any column. A form that lets such a text pass would be told by nobody, until
a backup that holds it cannot be restored.
"""

from typing import Any

from sqlalchemy import String
from sqlalchemy.dialects.sqlite.base import SQLiteExecutionContext
from sqlalchemy.engine.interfaces import Dialect
from sqlalchemy.exc import DataError
from sqlalchemy.sql.compiler import SQLCompiler

NUL = "\0"


class StrictExecutionContext(SQLiteExecutionContext):
    """Looks at the texts of an INSERT or UPDATE before they are sent. Raises DataError, as psycopg would."""

    def pre_exec(self) -> None:
        """Called by SQLAlchemy once for each statement, however many rows it has."""
        super().pre_exec()  # type: ignore[no-untyped-call]
        if isinstance(self.compiled, SQLCompiler) and (self.isinsert or self.isupdate):
            for name, longest in _texts(self.compiled):
                for values in self.compiled_parameters:
                    if complaint := _complaint(values.get(name), longest):
                        raise DataError(self.statement, None, ValueError(complaint), hide_parameters=True)


def make_strict(dialect: Dialect) -> None:
    """Have all statements of a dialect of SQLite looked at."""
    dialect.execution_ctx_cls = StrictExecutionContext


def _texts(compiled: SQLCompiler) -> list[tuple[str, int | None]]:
    return [
        (name, bind.type.length) for name, bind in compiled.binds.items() if isinstance(bind.type, String)
    ]


def _complaint(value: Any, longest: int | None) -> str | None:
    if not isinstance(value, str):
        return None
    if NUL in value:
        return "a text cannot hold NUL"
    if longest is not None and len(value) > longest:
        return f"value too long for type character varying({longest})"
    return None
