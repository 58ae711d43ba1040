"""What a rule is, and what it answers."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Integer,
    MetaData,
    Select,
    SQLColumnExpression,
    String,
    Table,
)

from ..models.quality import Quality
from ..models.types import Instant, Kwh
from ..wording import pluralize
from .moment import Moment
from .settings import RuleSettings

FLAGGED = "flagged"
NOT_ASSESSABLE = "not_assessable"
NOT_JUDGED = "not_judged"

VERDICT = Table(
    "verdict",
    MetaData(),
    Column("site_key", BigInteger, primary_key=True, autoincrement=False),
    Column("verdict", String(20)),
    Column("reason", String(50)),
    Column("since", Instant),
    Column("days", Integer),
    Column("zero_count", Integer),
    Column("value", Kwh),
    Column("combination", Integer),
    prefixes=["TEMPORARY"],
)
"""What a rule selects: a row for each judged site that is *not* ok.

``verdict`` is ``flagged``, or ``not_assessable`` with its ``reason``. Of a flagged site: ``since`` when
and for how many whole ``days`` (both empty if it never reported) and, where a register stands still, the
``zero_count`` of differences that were zero in the window, and its ``value``. During a run the rows live
in a temporary table of this name, between reading the fleet and opening jobs, with the ``combination`` of
settings by which the site was judged.
"""

NOT_LONG_AGO = timedelta(hours=36)
"""A daily reading may be so old before its silence is worth a word."""

Variables = dict[str, SQLColumnExpression[str] | str]
"""What the variables of a description stand for: SQL text of a verdict, or the same text for all."""


class FindingLike(Protocol):
    """What a rule found at a site, frozen in a job or in a verdict of now; see ``VERDICT``."""

    @property
    def since(self) -> datetime | None: ...

    @property
    def days(self) -> int | None: ...

    @property
    def zero_count(self) -> int | None: ...

    @property
    def value(self) -> Decimal | None: ...


class DescribeFinding(Protocol):
    """What a rule found at a site, in words; with ``is_interval`` its readings are energies of intervals."""

    def __call__(self, finding: FindingLike, zone: ZoneInfo, *, is_interval: bool) -> str: ...


@dataclass(frozen=True)
class Window:
    """A site's readings of some time that ends at ``until``: how many, the first and the last one's time and
    value, the lowest and highest value, how often and how far the register fell, and how many zeroes.

    ``total`` is what intervals add up to, None of a register; where that ``counts_down``, a rise is a fall.
    ``only_good`` says that others were set aside. A fall of no more than ``tolerated`` kWh is
    no fault.
    """

    until: datetime
    count: int = 0
    first: datetime | None = None
    last: datetime | None = None
    first_value: Decimal | None = None
    last_value: Decimal | None = None
    lowest: Decimal | None = None
    highest: Decimal | None = None
    falls: int = 0
    deepest_fall: Decimal | None = None
    zeroes: int = 0
    total: Decimal | None = None
    counts_down: bool = False
    only_good: bool = False
    tolerated: Decimal = Decimal(0)

    @property
    def falls_too_far(self) -> bool:
        """Whether the register fell by more than it may."""
        return bool(self.falls) and (self.deepest_fall or 0) > self.tolerated

    @property
    def made(self) -> Decimal:
        """What the site made from the first reading to the last, in kWh."""
        if self.total is not None:
            return self.total
        change = (self.last_value or Decimal(0)) - (self.first_value or Decimal(0))
        return -change if self.counts_down else change

    def describe(self, zone: ZoneInfo) -> str:
        """``4 readings since 12 Nov``, with the silence after them: ``, none in the last 3 days``."""
        noun = "good reading" if self.only_good else "reading"
        if self.first is None:
            return f"No {noun}s"
        seen = f"{pluralize(self.count, noun)} since {self.first.astimezone(zone):%-d %b}"
        return f"{seen}{self.describe_silence()}"

    def describe_silence(self) -> str:
        """``, none in the last 3 days``; nothing where the last reading is not long ago."""
        silence = self.until - (self.last or self.until)
        if silence <= NOT_LONG_AGO:
            return ""
        hours = silence // timedelta(hours=1)
        return f", none in the last {pluralize(hours // 24, 'day') if hours >= 48 else f'{hours} hours'}"

    def describe_falls(self) -> str:
        """Why the difference of first and last value means nothing; empty for a register as it should be."""
        if not self.falls:
            return ""
        way = "rose" if self.counts_down else "fell"
        fell = f"{way} once, by" if self.falls == 1 else f"{way} {self.falls:,} times, by up to"
        zeroes = f", and {pluralize(self.zeroes, 'reading')} of 0.00 came in" if self.zeroes else ""
        return f"The register {fell} {self.deepest_fall:,} kWh{zeroes}."


@dataclass(frozen=True)
class Rule:
    """A detector, and everything that differs between one and another.

    ``name`` is for machines: in the database, in the API, and in the command ``create-<name>-jobs``;
    ``title`` for people. ``settings`` is its section of the settings, ``verdicts`` its statement,
    ``variables`` are what a description may name, ``days_field`` is what the API calls the finding's days.
    ``colour`` is one of the palette in ``static/app.css``, ``icon`` a symbol in ``static/icons.svg``.
    ``window`` is how many days of readings it looks at. ``guarded`` tells that a broken feed makes it flag
    every site at once, so that the guard watches it.
    ``explained`` says in words how the rule decides with given settings, ``describe_finding`` what it found,
    ``unflagged`` why a site was not flagged (its verdict is ``ok`` or ``not_assessable``).
    ``recovered`` tells of a job whose site is ok whether its fault is gone; without it, it is.
    ``believes`` are the qualities of the readings that it goes by; others are set aside. With
    ``newest_meter``, so are those of the meters before the newest reading's.
    ``flagged_as`` is what people call a site that it flags, ``reasons`` are those for which it cannot assess
    one.
    """

    name: str
    title: str
    settings: type[RuleSettings]
    verdicts: Callable[[Any, Moment], Select[Any]]
    variables: Callable[[Any, Moment], Variables]
    window: Callable[[Any], int]
    explained: Callable[[Any], list[str]]
    describe_finding: DescribeFinding
    unflagged: Callable[[Any, str, Window, ZoneInfo], str]
    days_field: str
    colour: str
    icon: str
    guarded: bool = False
    recovered: Callable[[Any, Moment], ColumnElement[bool]] | None = None
    believes: frozenset[Quality] = frozenset(Quality)
    newest_meter: bool = False
    flagged_as: str = FLAGGED
    reasons: tuple[str, ...] = ()


def explained_jobs(settings: RuleSettings) -> Iterator[str]:
    """What comes of a finding, which is the same for every rule; what is not set is not mentioned."""
    if not settings.enabled:
        yield "The rule is switched off: runs skip it, and it opens no jobs."
        return
    job = f"A flagged site gets a job of the type {settings.job_type_id}"
    if settings.check_duplicate:
        yield f"{job}, unless it has an open job of that type already."
    else:
        yield f"{job} in every run, even if it has an open one already."
    if settings.queue:
        yield f"Its jobs go to the queue {settings.queue}."
    if settings.initial_status != "open":
        yield f"Its jobs start as {settings.initial_status.replace('_', ' ')}."
    if settings.reopen_after_days:
        yield (
            "After a person has closed a job while the fault held, "
            f"{pluralize(settings.reopen_after_days, 'day')} must pass before a new one is opened, "
            "unless the site recovered in between."
        )
    if settings.auto_close_recovered:
        yield "A job that nobody has worked on is closed when a run sees that the fault is gone."
