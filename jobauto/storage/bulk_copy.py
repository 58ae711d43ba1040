"""Many rows at once into any table."""

from typing import Any

from sqlalchemy import Connection, Table

from .connections import driver_errors


def bulk_copy(connection: Connection, table: Table, rows: list[tuple[Any, ...]]) -> None:
    """Put rows into a table by the engine's fastest way: COPY, or one prepared statement."""
    dialect = connection.dialect
    processors = [column.type.dialect_impl(dialect).bind_processor(dialect) for column in table.columns]
    ready = [
        tuple(
            process(value) if process and value is not None else value
            for process, value in zip(processors, row, strict=True)
        )
        for row in rows
    ]
    quoted = dialect.identifier_preparer
    into = f"{quoted.format_table(table)} ({', '.join(map(quoted.format_column, table.columns))})"
    if dialect.name == "postgresql":
        cursor = connection.connection.cursor()
        with driver_errors(connection), cursor.copy(f"COPY {into} FROM STDIN") as copy:
            for row in ready:
                copy.write_row(row)
    elif ready:
        marks = ", ".join("?" * len(table.columns))
        connection.exec_driver_sql(f"INSERT INTO {into} VALUES ({marks})", ready)  # noqa: S608 (our names)
