"""Column types and SQL functions that mean the same on SQLite and PostgreSQL."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import BigInteger, ColumnElement, Dialect, Integer, String, Text, cast, literal
from sqlalchemy.dialects.postgresql import TIMESTAMP
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import GenericFunction
from sqlalchemy.types import TypeDecorator, TypeEngine

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
BEFORE_ALL = EPOCH.replace(year=1)
EARLIEST = datetime(1900, 1, 1, tzinfo=UTC)
"""No meter was read before; the first days of the calendar do not even exist in every zone."""
MICROSECOND = timedelta(microseconds=1)
DAY = timedelta(days=1)
WATT_HOURS = 1000

PrimaryKey = BigInteger().with_variant(Integer, "sqlite")
"""A numbered primary key: SQLite numbers only a column of the type INTEGER."""


def to_microseconds(instant: datetime) -> int:
    """Whole microseconds since 1970 in UTC. Raises ValueError for a naive datetime."""
    if instant.tzinfo is None:
        raise ValueError(f"{instant!r} has no time zone")
    return (instant - EPOCH) // MICROSECOND


def from_microseconds(microseconds: int) -> datetime:
    """The instant, in UTC, of whole microseconds since 1970."""
    return EPOCH + microseconds * MICROSECOND


class Instant(TypeDecorator[datetime]):
    """A point in time, always aware and in UTC in Python.

    TIMESTAMPTZ on PostgreSQL. On SQLite whole microseconds since 1970, which compare and subtract exactly
    and take a third of the room of text. A naive datetime is refused.
    """

    impl = BigInteger
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """TIMESTAMPTZ where there is one."""
        if dialect.name == "postgresql":
            return dialect.type_descriptor(TIMESTAMP(timezone=True))
        return dialect.type_descriptor(BigInteger())

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        """To the database; refuses naive datetimes."""
        if value is None:
            return None
        microseconds = to_microseconds(value)
        return value if dialect.name == "postgresql" else microseconds

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """From the database, in UTC."""
        if value is None:
            return None
        return value.astimezone(UTC) if dialect.name == "postgresql" else from_microseconds(value)


class Kwh(TypeDecorator[Decimal]):
    """Energy in kWh, kept as whole watt-hours; with two decimals, or three where it takes three."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> int | None:  # noqa: ARG002
        """To watt-hours."""
        return None if value is None else int(value * WATT_HOURS)

    def process_result_value(self, value: int | None, dialect: Dialect) -> Decimal | None:  # noqa: ARG002
        """To kWh."""
        return None if value is None else from_watt_hours(value)


def from_watt_hours(watt_hours: int) -> Decimal:
    """kWh, exactly: with two decimals, or three where it takes three, as that of an interval may."""
    if watt_hours % 10:
        return Decimal(watt_hours).scaleb(-3)
    return Decimal(watt_hours // 10).scaleb(-2)


class Kwp(Kwh):
    """A peak power in kWp, kept as whole watts."""

    cache_ok = True


class microseconds_between(GenericFunction[int]):  # noqa: N801 (an SQL function)
    """``microseconds_between(later, earlier)``: the time elapsed between two instants."""

    type = BigInteger()
    inherit_cache = True


@compiles(microseconds_between, "sqlite")
def _microseconds_sqlite(element: microseconds_between, compiler: SQLCompiler, **kw: Any) -> str:
    later, earlier = (compiler.process(clause, **kw) for clause in element.clauses)
    return f"({later} - {earlier})"


@compiles(microseconds_between, "postgresql")
def _microseconds_postgresql(element: microseconds_between, compiler: SQLCompiler, **kw: Any) -> str:
    later, earlier = (compiler.process(clause, **kw) for clause in element.clauses)
    return f"CAST(extract(epoch FROM ({later} - {earlier})) * 1000000 AS BIGINT)"


def whole_days(later: ColumnElement[datetime], earlier: ColumnElement[datetime]) -> ColumnElement[int]:
    """SQL for the whole days of 24 hours between two instants."""
    return cast(microseconds_between(later, earlier) // (DAY // MICROSECOND), Integer)


class local_minute(GenericFunction[str]):  # noqa: N801 (an SQL function)
    """``local_minute(instant, zone)``: ``2026-03-31 06:00`` on the clocks of an IANA zone."""

    type = Text()
    inherit_cache = True


LINKS = {"CET": "Europe/Brussels", "EET": "Europe/Athens", "MET": "Europe/Brussels", "WET": "Europe/Lisbon"}
"""Zones whose names PostgreSQL takes for abbreviations, without summer time; and what they are links to."""


def local_minute_in(instant: ColumnElement[datetime], zone: ZoneInfo) -> ColumnElement[str]:
    """SQL for an instant on the clocks of a zone."""
    return local_minute(instant, literal(LINKS.get(zone.key, zone.key), String))


@compiles(local_minute, "postgresql")
def _local_minute_postgresql(element: local_minute, compiler: SQLCompiler, **kw: Any) -> str:
    instant, zone = (compiler.process(clause, **kw) for clause in element.clauses)
    return f"to_char({instant} AT TIME ZONE {zone}, 'YYYY-MM-DD HH24:MI')"


def local_minute_sqlite(microseconds: int | None, zone: str) -> str | None:
    """What :class:`local_minute` calls on SQLite, which knows no time zones of its own."""
    if microseconds is None:
        return None
    return format_minute(from_microseconds(microseconds), ZoneInfo(zone))


def format_minute(instant: datetime, zone: ZoneInfo) -> str:
    """``2026-03-31 06:00`` on the clocks of a zone."""
    return instant.astimezone(zone).isoformat(sep=" ", timespec="minutes")[:16]
