"""Whether the rows of a backup, a SQLite database of this schema, are such as the program writes.

SQLite keeps anything in any column. PostgreSQL refuses some of it, and the pages fail at the rest.
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from math import isinf
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, Field, TypeAdapter
from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Connection,
    Date,
    Float,
    Integer,
    SmallInteger,
    String,
    Table,
)

from ..extensions import db
from ..models import LabResult, PendingLogin, SentForm, SettingsVersion, UserSession
from ..models.bulk import ACTIONS
from ..models.event import SUBJECTS
from ..models.imports import KINDS as KINDS_OF_IMPORTS
from ..models.imports import STATUSES as STATUSES_OF_IMPORTS
from ..models.imports import WAYS
from ..models.incident import STATES as STATES_OF_INCIDENTS
from ..models.job import PRIORITIES, RESOLUTIONS, STATUSES
from ..models.notification import KINDS, KINDS_OF_MESSAGES, WHEN
from ..models.notification import STATUSES as STATUSES_OF_MESSAGES
from ..models.quality import Quality, ReviewDecision, ReviewKind
from ..models.review import STATES
from ..models.run import DECISIONS as DECISIONS_OF_HOLDS
from ..models.run import STATUSES as STATUSES_OF_RUNS
from ..models.run import STATUSES_OF_RULES, TRIGGERS
from ..models.run_site import OUTCOMES, VERDICTS
from ..models.site import COUNTS, MEASURES
from ..models.types import EARLIEST, Instant, Kwh, to_microseconds
from ..models.user import ROLES, ROWS, SCOPES

OF_THE_MOMENT = tuple(model.__tablename__ for model in (LabResult, PendingLogin, SentForm, UserSession))
"""Tables of which no backup has rows: who is logged in, and what is asked for again if it is missing."""
FIRST = to_microseconds(EARLIEST)
LAST = to_microseconds(datetime(9000, 1, 1, tzinfo=UTC))
"""No instant of ours lies beyond. Each zone has a date for them, and for what pages add to one."""
MOST_WATT_HOURS = 10**15
BITS = {SmallInteger: 16, BigInteger: 64, Integer: 32}
MOST_SHOWN = 1000
"""The program keeps no more of what a page shows whole. A page of a million lines takes a gigabyte."""
LONGEST_TEXT = 500_000
"""More than any text of ours has whose column does not say. Pages show many, and take seven times as much."""
QUALITIES = tuple(map(int, Quality))
KINDS_OF_REVIEWS = tuple(kind.value for kind in ReviewKind)
DECISIONS = tuple(decision.value for decision in ReviewDecision)
CHOICES = {
    "user.role": ROLES,
    "user.rows_a_page": ROWS,
    "api_token.scope": SCOPES,
    "job.status": STATUSES,
    "job.priority": PRIORITIES,
    "job.resolution": RESOLUTIONS,
    "bulk_action.action": ACTIONS,
    "address.kind": KINDS,
    "mail_address.assignments": WHEN,
    "event.subject": SUBJECTS,
    "import.kind": KINDS_OF_IMPORTS,
    "import.way": WAYS,
    "import.status": STATUSES_OF_IMPORTS,
    "run.trigger": TRIGGERS,
    "run.status": STATUSES_OF_RUNS,
    "run_rule.status": STATUSES_OF_RULES,
    "run_site.verdict": VERDICTS,
    "run_site.outcome": OUTCOMES,
    "hold.decision": DECISIONS_OF_HOLDS,
    "outbox.kind": KINDS_OF_MESSAGES,
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
LONGEST_CHOICE = 20
"""No text of people is so short: each column of so many characters stands above."""
_NUMBER = "({0} NOT GLOB '*[^0-9]*' AND length({0}) BETWEEN 1 AND 18)"
_WORD = "{0} NOT GLOB '*[^A-Za-z0-9_-]*'"
_ENCRYPTED = "{0} NOT GLOB '*[^A-Za-z0-9_=-]*'"
_INSTANT = "({0} IS datetime({0}, '+0 days') || '+00:00' AND {0} BETWEEN '1900' AND '9000')"
_OF_SNOOZES = f"(field <> 'snoozed_until' OR {_INSTANT})"
_SHORT = "length({0}) <= 20000"  # of what a page or a file has hundreds
_SHORT_BUT_OF_POLICIES = f"(subject = 'policy' OR {_SHORT})"
_FIELD = "CASE action WHEN 'assign' THEN 'assignee' WHEN 'close' THEN 'resolution' ELSE action END"
_CAN_BE_UNDONE = "field IN ('status', 'resolution', 'priority', 'assignee', 'queue', 'note')"
FORMATS = {
    "address.sealed": _ENCRYPTED,
    "bulk_action.change": f"(action IN ('reopen', 'undo') OR json_type({{0}}, '$.' || {_FIELD}) IS 'text')",
    "import.kept_as": _WORD,
    "import.profile": _WORD,  # whose folder its file is moved in
    "job_view.query": "instr({0}, '%00') = 0 AND length({0}) <= 2000",
    # With NUL in it, PostgreSQL reads nothing of the document. Behind two backslashes it is a text like that.
    "profile_version.document": r"instr(replace({0}, '\\', ''), '\u0000') = 0",
    "profile_version.key": _WORD,
    "profile_version.name": _WORD,
    # As its bytes are quoted: none of them leads to another folder.
    "import.inbox_name": "{0} NOT GLOB '*[^A-Za-z0-9_.~%-]*' AND {0} NOT GLOB '*%2[Ff]*'",
    # What the audit log links to, and what pages read of changes.
    "event.subject_id": f"(subject NOT IN ('job', 'run', 'import') OR {_NUMBER})",
    "event.field": "({0} NOT IN ('made_for', 'decision', 'created') OR \"after\" IS NOT NULL) "
    f"AND (subject <> 'job' OR bulk_id IS NULL OR {_CAN_BE_UNDONE})",
    "event.before": f"{_OF_SNOOZES} AND {_SHORT_BUT_OF_POLICIES}",
    "event.after": f"(field <> 'made_for' OR {_NUMBER}) AND {_OF_SNOOZES} AND {_SHORT_BUT_OF_POLICIES}",
    # What is asked of the row that belongs to it.
    "job.covers": "id IN (SELECT job_id FROM incident)",
    "job.description": _SHORT,
    "job.instructions": _SHORT,
    "job.recovered_at": "recovered_run_id IS NOT NULL",
    "job.since": "(rule <> 'zero_reads' OR value IS NOT NULL)",
    "job.status": "({0} <> 'closed' OR (resolution IS NOT NULL AND closed_at IS NOT NULL))",
    "second_factor.secret": _ENCRYPTED,
    # More than the longest settings have: each page reads them, and takes two hundred times their length.
    "settings_version.document": "length({0}) <= 100000",
    # Another one makes each try to log in fail, or take as long as it says.
    "user.password_hash": "({0} = '' OR {0} GLOB 'scrypt:32768:8:[1-9]$*$*')",
}
"""SQL for what is the name of a file or a folder, and no path; and for other texts that are read again."""
MAY_BE_EMPTY = (
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
    source: str | None = None
    expected_hours: Annotated[int, Field(strict=True, ge=1, le=24 * 366)] | None = None


class _Policy(BaseModel, extra="allow"):
    """What each page takes out of the list of policies: names, and for each rule single values."""

    __pydantic_extra__: dict[str, dict[str, str | float | bool | None]]

    name: str = ""
    groups: list[str] = []
    sites: list[str] = []


_Number = Annotated[int, Field(strict=True)]


class _Line(BaseModel):
    line: _Number


T = TypeVar("T")
_Shown = Annotated[list[T], Field(max_length=MOST_SHOWN)]

SHAPES: dict[str, TypeAdapter[Any]] = {
    "settings_version.document": TypeAdapter(dict[str, dict[str, Any]]),
    "settings_version.policies": TypeAdapter(_Shown[_Policy]),
    "draft.fields": TypeAdapter(list[tuple[str, str]]),
    "import.errors": TypeAdapter(_Shown[tuple[_Number, str]]),
    "import.ignore_columns": TypeAdapter(_Shown[str]),
    "import.ignored_columns": TypeAdapter(_Shown[str]),
    "import.warnings": TypeAdapter(_Shown[str]),
    "import.reasons": TypeAdapter(_Shown[str]),
    "import.preview": TypeAdapter(_Shown[_Line]),
    "profile_version.document": TypeAdapter(_Profile),
    "bulk_action.change": TypeAdapter(dict[str, str]),
}
"""What the documents in columns of JSON look like."""


def kept_tables() -> list[Table]:
    """The tables whose rows a backup has, each after those that it refers to."""
    return [table for table in db.metadata.sorted_tables if table.name not in OF_THE_MOMENT]


def complaint(connection: Connection) -> str | None:
    """The first thing that is wrong, in a sentence; None where all is well."""
    return next(_complaints(connection), None)


def _complaints(connection: Connection) -> Iterator[str]:
    for table in kept_tables():
        wrong = connection.exec_driver_sql(_first_wrong_column(table)).scalar()
        column = wrong or _first_misshapen(connection, table)
        if column is not None:
            yield f"A value of {table.name}.{column} is not one that it may hold."
    if connection.execute(SettingsVersion.__table__.select().limit(1)).first() is None:
        yield "The backup has no settings."
    for table_name, _, parent, _ in connection.exec_driver_sql("PRAGMA foreign_key_check"):
        yield f"A row of {table_name} belongs to none of {parent}."


@cache
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
    if allowed := _choices(column):
        test += f" AND {name} IN ({', '.join(map(repr, allowed))})"
    if has_format := FORMATS.get(str(column)):
        test += f" AND {has_format.format(name)}"
    return f"{name} IS NULL OR ({test})" if column.nullable else test


def _choices(column: Column[Any]) -> tuple[Any, ...] | None:
    """What may stand in a column of choices. Raises KeyError for one that nobody has listed."""
    is_short = isinstance(column.type, String) and 0 < (column.type.length or 0) <= LONGEST_CHOICE
    return CHOICES[str(column)] if is_short else CHOICES.get(str(column))


def _is_of_its_type(name: str, column: Column[Any]) -> str:
    kind = column.type
    if isinstance(kind, Instant):
        return f"typeof({name}) = 'integer' AND {name} BETWEEN {FIRST} AND {LAST}"
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
        return f"typeof({name}) = 'text' AND json_valid({name})"
    if isinstance(kind, String):
        least = _least(column) if column.primary_key or column.unique else 0
        size = f"length({name}) BETWEEN {least} AND {kind.length or LONGEST_TEXT}"
        return f"typeof({name}) = 'text' AND instr({name}, char(0)) = 0 AND {size}"
    raise TypeError(f"what may stand in {column}?")


def _range_of(column: Column[Any]) -> tuple[int, int]:
    # Half of what there is room for: keys and counters go on after the highest.
    bits = next(bits for kind, bits in BITS.items() if isinstance(column.type, kind))
    most = 2 ** (bits - 2) - 1
    return (_least(column) if column.primary_key or column.foreign_keys else -most), most


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
                json.loads(document, parse_float=_finite)
            except ValueError:  # a ValidationError is one, and so is an integer without an end
                return name
    return None


def _finite(number: str) -> float:
    """Raises ValueError for one that reads as infinite, which no JSON can say when it is written again."""
    if isinf(read := float(number)):
        raise ValueError
    return read
