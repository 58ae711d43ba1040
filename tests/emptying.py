"""A PostgreSQL that a test gives back becomes what its template is: the same rows, the same next numbers."""

from dataclasses import dataclass
from typing import Self

import psycopg
from psycopg.sql import SQL, Composed, Identifier, Literal

GROWTH = 4_000_000
"""Bytes of dead rows that no plan notices. A database that has grown by more is not kept."""

RELATIONS = """
WITH ours AS (SELECT oid, xmin, reltuples FROM pg_class WHERE relnamespace = 'public'::regnamespace),
words (line) AS (
    SELECT concat_ws(' ', 'relation', oid, xmin, reltuples) FROM ours
    UNION ALL
    SELECT concat_ws(' ', 'column', oid, attnum, a.xmin) FROM pg_attribute a JOIN ours ON oid = attrelid
    UNION ALL
    SELECT concat_ws(' ', 'default', d.oid, d.xmin) FROM pg_attrdef d JOIN ours ON ours.oid = adrelid
    UNION ALL
    SELECT concat_ws(' ', 'constraint', c.oid, c.xmin) FROM pg_constraint c JOIN ours ON ours.oid = conrelid
    UNION ALL
    SELECT concat_ws(' ', 'trigger', t.oid, t.xmin) FROM pg_trigger t JOIN ours ON ours.oid = tgrelid
    UNION ALL
    SELECT concat_ws(' ', 'function', oid, xmin) FROM pg_proc WHERE pronamespace = 'public'::regnamespace
)
SELECT md5(string_agg(line, ',' ORDER BY line)) FROM words
"""
"""A copy has the very rows of its template's catalogue. One that is changed is written anew, by another
transaction (xmin). Only ANALYZE changes one in place: the number of rows that it has counted.
"""

TERMINATE = """
SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
"""

TABLES = """
SELECT relname FROM pg_class
WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition
"""
SEQUENCES = "SELECT sequencename FROM pg_sequences WHERE schemaname = 'public'"


@dataclass(frozen=True)
class Emptying:
    """How to empty the copies of a template."""

    relations: str
    size: int
    statements: Composed

    @classmethod
    def of(cls, template: psycopg.Connection) -> Self:
        """Look at a template."""
        tables = [Identifier(name) for (name,) in template.execute(TABLES)]
        sequences = [Identifier(name) for (name,) in template.execute(SEQUENCES)]
        statements = [
            SQL("SET session_replication_role = replica"),  # without triggers, and so in any order
            *(SQL("DELETE FROM {}").format(table) for table in tables),
            *(fill for table in tables for fill in _fill(template, table)),
            *(_number(template, sequence) for sequence in sequences),
        ]
        return cls(_relations(template), _size(template), SQL("; ").join(statements))

    def done(self, copy: psycopg.Connection) -> bool:
        """Empty a copy; False, and nothing is done, if more than rows was changed in it.

        The connection commits by itself; from then on it knows no triggers.
        """
        copy.execute(TERMINATE)
        if _relations(copy) != self.relations or _size(copy) > self.size + GROWTH:
            return False
        copy.execute(self.statements)
        return True


def _relations(connection: psycopg.Connection) -> str:
    (found,) = connection.execute(RELATIONS).fetchall()[0]
    return str(found)


def _size(connection: psycopg.Connection) -> int:
    (size,) = connection.execute("SELECT pg_database_size(current_database())").fetchall()[0]
    return int(size)


def _fill(template: psycopg.Connection, table: Identifier) -> list[Composed]:
    """Insert the rows that the template has in a table: hardly any has some."""
    (rows,) = template.execute(SQL("SELECT json_agg(t)::text FROM {} AS t").format(table)).fetchall()[0]
    insert = "INSERT INTO {0} OVERRIDING SYSTEM VALUE SELECT * FROM json_populate_recordset(NULL::{0}, {1})"
    return [SQL(insert).format(table, Literal(rows))] if rows else []


def _number(template: psycopg.Connection, sequence: Identifier) -> Composed:
    """Go on from where the template's sequence stands."""
    (state,) = template.execute(SQL("SELECT last_value, is_called FROM {}").format(sequence)).fetchall()
    return SQL("SELECT setval({}::regclass, {}, {})").format(
        Literal(sequence.as_string(template)), *map(Literal, state)
    )
