"""Whether the rows of a SQLite database of this schema are such as the program writes.

SQLite keeps anything in any column. PostgreSQL refuses some of it, and the pages fail at the rest.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import BaseModel, Field, TypeAdapter, ValidationError
from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Connection,
    Date,
    Float,
    Integer,
    String,
    Table,
    text,
)

from ..extensions import db
from ..models import SettingsVersion
from ..models.bulk import ACTIONS
from ..models.event import SUBJECTS
from ..models.imports import STATUSES as STATUSES_OF_IMPORTS
from ..models.imports import WAYS
from ..models.incident import STATES as STATES_OF_INCIDENTS
from ..models.job import PRIORITIES, RESOLUTIONS, STATUSES
from ..models.notification import KINDS, WHEN
from ..models.notification import STATUSES as STATUSES_OF_MESSAGES
from ..models.quality import Quality, ReviewDecision, ReviewKind
from ..models.review import STATES
from ..models.run import STATUSES as STATUSES_OF_RUNS
from ..models.site import COUNTS, MEASURES
from ..models.types import Instant, Kwh, to_microseconds
from ..models.user import ROLES, SCOPES

EARLIEST = to_microseconds(datetime(1900, 1, 1, tzinfo=UTC))
LATEST = to_microseconds(datetime(9999, 12, 31, tzinfo=UTC))
"""Each zone has a date for them, and no instant of ours lies beyond."""
MOST_WATT_HOURS = 10**15
QUALITIES = tuple(map(int, Quality))
KINDS_OF_REVIEWS = tuple(kind.value for kind in ReviewKind)
DECISIONS = tuple(decision.value for decision in ReviewDecision)
CHOICES = {
    "user.role": ROLES,
    "api_token.scope": SCOPES,
    "job.status": STATUSES,
    "job.priority": PRIORITIES,
    "job.resolution": RESOLUTIONS,
    "bulk_action.action": ACTIONS,
    "address.kind": KINDS,
    "mail_address.assignments": WHEN,
    "event.subject": SUBJECTS,
    "import.way": WAYS,
    "import.status": STATUSES_OF_IMPORTS,
    "run.status": STATUSES_OF_RUNS,
    "outbox.status": STATUSES_OF_MESSAGES,
    "site.measure": MEASURES,
    "site.counts": COUNTS,
    "reading.quality": QUALITIES,
    "job_reading.quality": QUALITIES,
    "review.kind": KINDS_OF_REVIEWS,
    "review.state": STATES,
    "review.decision": DECISIONS,
    "decision.kind": KINDS_OF_REVIEWS,
    "decision.decision": DECISIONS,
    "incident.state": STATES_OF_INCIDENTS,
}
MAY_BE_EMPTY = (
    "lab_result.days",  # now
    "lab_result.group",  # the fleet
    "replaced_reading.import_id",  # nobody knows it
    "run_count.group",  # of sites without one
    "run_count.source",
)
"""What is 0 or an empty text, although in a key."""


class _File(BaseModel):
    kind: str


class _Sites(BaseModel):
    aliases: dict[str, str] = {}


class _Profile(BaseModel):
    """What lists of profiles, and who looks for feeds that are late, take out of a document unread."""

    file: _File
    site: _Sites
    measure: str = ""
    source: str = ""
    expected_hours: Annotated[int, Field(strict=True, ge=1, le=24 * 366)] = 1


class _Line(BaseModel):
    line: Annotated[int, Field(strict=True)]


SHAPES: dict[str, TypeAdapter[Any]] = {
    "settings_version.document": TypeAdapter(dict[str, dict[str, Any]]),
    "settings_version.policies": TypeAdapter(list[dict[str, Any]]),
    "sent_form.messages": TypeAdapter(list[tuple[str, str]]),
    "draft.fields": TypeAdapter(list[tuple[str, str]]),
    "import.errors": TypeAdapter(list[tuple[int, str]]),
    "import.ignore_columns": TypeAdapter(list[str]),
    "import.ignored_columns": TypeAdapter(list[str]),
    "import.warnings": TypeAdapter(list[str]),
    "import.reasons": TypeAdapter(list[str]),
    "import.preview": TypeAdapter(list[_Line]),
    "profile_version.document": TypeAdapter(_Profile),
    "bulk_action.change": TypeAdapter(dict[str, str]),
    "lab_result.answer": TypeAdapter(dict[str, Any]),
}
"""What the documents in columns of JSON look like."""


def complaint(connection: Connection) -> str | None:
    """The first thing that is wrong, in a sentence; None where all is well."""
    return next(_complaints(connection), None)


def _complaints(connection: Connection) -> Iterator[str]:
    for table in db.metadata.sorted_tables:
        column = connection.execute(text(_first_wrong_column(table))).scalar() or _first_misshapen(
            connection, table
        )
        if column is not None:
            yield f"A value of {table.name}.{column} is not one that it may hold."
    if connection.execute(SettingsVersion.__table__.select().limit(1)).first() is None:
        yield "The backup has no settings."
    for table_name, _, parent, _ in connection.exec_driver_sql("PRAGMA foreign_key_check"):
        yield f"A row of {table_name} belongs to none of {parent}."


def _first_wrong_column(table: Table) -> str:
    """SQL for the name of a column with a wrong value, in one walk over the table."""
    tests = [(column.name, _is_right(f'"{column.name}"', column)) for column in table.columns]
    cases = " ".join(f"WHEN NOT ({test}) THEN '{name}'" for name, test in tests)
    return (
        f'SELECT wrong FROM (SELECT CASE {cases} END AS wrong FROM "{table.name}") '  # noqa: S608 (our names)
        "WHERE wrong IS NOT NULL LIMIT 1"
    )


def _is_right(name: str, column: Column[Any]) -> str:
    test = _is_of_its_type(name, column)
    if allowed := CHOICES.get(str(column)):
        test += f" AND {name} IN ({', '.join(map(repr, allowed))})"
    return f"{name} IS NULL OR ({test})" if column.nullable else test


def _is_of_its_type(name: str, column: Column[Any]) -> str:
    kind = column.type
    if isinstance(kind, Instant):
        return f"typeof({name}) = 'integer' AND {name} BETWEEN {EARLIEST} AND {LATEST}"
    if isinstance(kind, Kwh):
        return f"typeof({name}) = 'integer' AND abs({name} + 0.0) < {MOST_WATT_HOURS}"
    if isinstance(kind, Boolean):
        return f"typeof({name}) = 'integer' AND {name} IN (0, 1)"
    if isinstance(kind, Integer):
        return f"typeof({name}) = 'integer' AND {name} BETWEEN {' AND '.join(map(str, _range_of(column)))}"
    if isinstance(kind, Float):
        return f"typeof({name}) = 'real'"
    if isinstance(kind, Date):
        return f"typeof({name}) = 'text' AND {name} >= '0001' AND {name} IS date({name}, '+0 days')"
    if isinstance(kind, JSON):
        return f"typeof({name}) = 'text'"
    if isinstance(kind, String):
        least = _least(column) if column.primary_key or column.unique else 0
        most = f" AND length({name}) <= {kind.length}" if kind.length else ""
        return f"typeof({name}) = 'text' AND instr({name}, char(0)) = 0 AND length({name}) >= {least}{most}"
    raise TypeError(f"what may stand in {column}?")


def _range_of(column: Column[Any]) -> tuple[int, int]:
    most: int = 2**63 - 1 if isinstance(column.type, BigInteger) else 2**31 - 1
    if column.primary_key or column.foreign_keys:
        return _least(column), most // 2  # numbers go on after the highest
    return -most - 1, most


def _least(column: Column[Any]) -> int:
    """The least number, or the fewest characters, that may stand in a column of a key."""
    return 0 if str(column) in MAY_BE_EMPTY else 1


def _first_misshapen(connection: Connection, table: Table) -> str | None:
    shapes = [(column.name, SHAPES[str(column)]) for column in table.columns if isinstance(column.type, JSON)]
    for name, shape in shapes:
        there = f'SELECT "{name}" FROM "{table.name}" WHERE "{name}" IS NOT NULL'  # noqa: S608 (our names)
        found = connection.exec_driver_sql(there)
        for (document,) in found:
            try:
                shape.validate_json(document)
            except ValidationError:
                return name
    return None
